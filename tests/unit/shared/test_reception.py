"""Where a request ends, however its bytes are cut; what waits for a slow reader; callers take turns."""

import threading
from itertools import pairwise

import pytest
from gunicorn.config import Config
from gunicorn.http import errors
from gunicorn.http.parser import RequestParser
from hypothesis import given
from hypothesis import strategies as st

from shared.admission import Admission, Slots, UploadsBusy, UploadsFull
from shared.callers import FAILURES_PER_MINUTE_MAX, Failures, as_actor, as_address
from shared.lanes import Lane
from shared.outgoing import Outgoing
from shared.raw_problems import raw_problem, refusal_of
from shared.reception import HEAD_BYTES_MAX, IN_MEMORY_BYTES_MAX, Incoming

HEAD = b"POST /v1/sales HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer x\r\n"
NEXT = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"


def fed(pieces):
    incoming = Incoming()
    for piece in pieces:
        incoming.feed(piece)
    return incoming


def cut(data, places):
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[a:b] for a, b in pairwise(edges) if a < b]


def chunked(parts):
    framed = b"".join(b"%x;ext=1\r\n%s\r\n" % (len(part), part) for part in parts if part)
    return framed + b"0\r\nX-Sum: 1\r\n\r\n"


@given(st.binary(max_size=300), st.lists(st.integers(0, 600), max_size=8))
def test_a_body_of_known_length_ends_where_it_says_however_it_is_cut(body, places):
    request = HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body
    incoming = fed(cut(request + NEXT, places))
    assert incoming.is_whole
    assert b"".join(incoming.chunks()) == request
    assert incoming.rest == NEXT


@given(st.lists(st.binary(max_size=60), max_size=6), st.lists(st.integers(0, 900), max_size=8))
def test_a_chunked_body_ends_with_its_trailers_and_gunicorn_reads_the_same(parts, places):
    request = HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(parts)
    incoming = fed(cut(request + NEXT, places))
    assert incoming.is_whole
    assert incoming.rest == NEXT
    parsed = next(RequestParser(Config(), incoming.chunks(), ("127.0.0.1", 1)))
    assert parsed.body.read() == b"".join(parts)


@given(st.binary(min_size=1, max_size=200), st.integers(1, 200))
def test_a_request_is_not_whole_before_its_last_byte(body, missing):
    request = HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body
    assert not fed([request[:-missing]]).is_whole


@pytest.mark.parametrize(
    "fields",
    [
        b"Content-Length: 5\r\nContent-Length: 6\r\n",
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        b"Content-Length: -5\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    ],
)
def test_a_length_that_may_be_read_in_two_ways_waits_for_no_body_and_is_refused_by_gunicorn(fields):
    incoming = fed([HEAD + fields + b"\r\n"])
    assert incoming.is_whole
    with pytest.raises(errors.ParseException) as refusal:
        next(RequestParser(Config(), incoming.chunks(), ("127.0.0.1", 1)))
    assert refusal_of(refusal.value)[0] in range(400, 502)


def test_a_faulty_chunk_ends_the_waiting_and_nothing_may_follow():
    for faulty in (b"xyz\r\n", b"1" * 10_000, b"-1\r\n"):
        incoming = fed([HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + faulty])
        assert (incoming.is_whole, incoming.is_doubtful) == (True, True)
    assert fed([HEAD + b"Content-Length: 99999999999999999999\r\n\r\n"]).is_doubtful
    assert not fed([HEAD + b"Content-Length: 0\r\n\r\n"]).is_doubtful


def test_an_endless_head_is_noticed_whether_it_comes_at_once_or_in_pieces():
    assert fed([b"GET / HTTP/1.1\r\n" + b"a" * HEAD_BYTES_MAX]).is_head_too_long
    assert fed([b"GET / HTTP/1.1\r\n", *[b"a" * 1000] * 70]).is_head_too_long
    assert not fed([HEAD]).is_head_too_long


def test_a_large_body_goes_to_a_file_and_comes_back_unchanged():
    body = bytes(range(256)) * (IN_MEMORY_BYTES_MAX // 256 + 1000)
    request = HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body
    incoming = fed(request[at : at + 50_000] for at in range(0, len(request), 50_000))
    assert incoming.is_whole
    assert b"".join(incoming.chunks()) == request
    incoming.close()


def test_what_a_head_presents_is_read_as_the_application_will_read_it():
    incoming = fed([HEAD + b"Cookie: a=1\r\nX-Forwarded-For: 1.1.1.1, 2.2.2.2\r\n\r\n"])
    assert (incoming.authorization, incoming.cookie) == (b"Bearer x", b"a=1")
    assert incoming.forwarded_for == b"2.2.2.2"
    assert fed([HEAD + b"AUTHORIZATION: Bearer y\r\n\r\n"]).authorization == b"Bearer x,Bearer y"
    nothing = fed([b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"])
    assert (nothing.authorization, nothing.cookie) == (b"", b"")


def test_a_short_body_may_follow_its_head_a_long_or_unknown_one_is_asked_about_first():
    def awaits_little(fields):
        return fed([HEAD + fields + b"\r\n"]).awaits_little

    assert awaits_little(b"Content-Length: 900\r\n")
    assert not awaits_little(b"Content-Length: 0\r\n")
    assert not awaits_little(b"Content-Length: 900\r\nExpect: 100-continue\r\n")
    assert not awaits_little(b"Content-Length: 50000000\r\n")
    assert not awaits_little(b"Transfer-Encoding: chunked\r\n")


# --- turns ------------------------------------------------------------------------------------------


class Work:
    """Jobs that run until they are let go; what ran is told in order."""

    def __init__(self, lane):
        self.lane = lane
        self.began = []
        self.go = threading.Semaphore(0)
        self.ended = threading.Semaphore(0)

    def add(self, caller, name):
        def job():
            self.began.append(name)
            self.go.acquire()
            self.ended.release()

        self.lane.add(caller, job)

    def end_one(self, caller):
        self.go.release()
        self.ended.acquire()
        self.lane.done(caller)


def test_one_caller_leaves_threads_to_others_and_the_waiting_take_turns():
    lane = Lane("test", threads=3, per_caller_max=2)
    work = Work(lane)
    for number in range(4):
        work.add("greedy", f"g{number}")
    work.add("other", "o0")
    work.add("other", "o1")
    work.add("third", "t0")
    try:
        while len(work.began) < 3:
            pass
        assert sorted(work.began) == ["g0", "g1", "o0"]
        for caller, next_one in (("other", "o1"), ("greedy", "t0"), ("greedy", "g2")):
            before = len(work.began)
            work.end_one(caller)
            while len(work.began) == before:
                pass
            assert work.began[-1] in {"o1", "t0", "g2"}, next_one
        assert "t0" in work.began
    finally:
        for _ in range(20):
            work.go.release()
        lane.close()


def test_an_address_that_nobody_verified_has_one_thread_at_a_time():
    lane = Lane("test", threads=3, per_caller_max=2, per_stranger_max=1)
    work = Work(lane)
    stranger, known = as_address("203.0.113.7"), as_actor("till-7")
    for number in range(2):
        work.add(stranger, f"s{number}")
        work.add(known, f"k{number}")
    try:
        while len(work.began) < 3:
            pass
        assert sorted(work.began) == ["k0", "k1", "s0"]
    finally:
        for _ in range(20):
            work.go.release()
        lane.close()


def test_uploads_of_one_actor_leave_places_for_others_and_give_theirs_back():
    slots, bodies = Slots(per_actor_max=2, together_max=3), Slots(per_actor_max=1, together_max=9)

    def ask(caller, *, is_upload=True):
        admission = Admission(bodies=bodies, uploads=slots)
        admission.grant(caller=caller, body_bytes_max=10, is_upload=is_upload)
        return admission

    mine = [ask("me"), ask("me")]
    with pytest.raises(UploadsBusy):
        ask("me")
    assert ask("me", is_upload=False).is_granted
    ask("you")
    with pytest.raises(UploadsFull):
        ask("they")
    mine[0].release()
    mine[0].release()
    ask("me")
    with pytest.raises(UploadsBusy):
        ask("me")


def test_a_request_that_came_whole_takes_no_place_of_bodies_on_their_way():
    slots = Slots(per_actor_max=1, together_max=1)
    for _ in range(3):
        admission = Admission(bodies=slots, uploads=slots, is_whole=True)
        admission.grant(caller="me", body_bytes_max=10, is_upload=True)
        assert (admission.is_granted, admission.caller) == (True, "me")
    assert slots.claim("me") == "taken"


# --- answers ------------------------------------------------------------------------------------------


class Narrow:
    """A socket that takes 1,000 bytes and then nothing until it was emptied."""

    def __init__(self):
        self.room = 1_000
        self.taken = bytearray()

    def send(self, data):
        if not self.room:
            raise BlockingIOError
        part = bytes(data[: self.room])
        self.room -= len(part)
        self.taken += part
        return len(part)


def test_an_answer_that_nobody_reads_yet_waits_beside_the_socket_and_arrives_whole():
    sock = Narrow()
    outgoing = Outgoing(sock)
    parts = [bytes([number]) * 777 for number in range(40)]
    for part in parts:
        outgoing.sendall(part)
    outgoing.rewind()
    while outgoing.has_more:
        assert len(sock.taken) < 40 * 777
        sock.room = 1_000
        outgoing.flush()
    assert bytes(sock.taken) == b"".join(parts)
    assert outgoing.sent_bytes == 40 * 777
    outgoing.close()


def test_the_head_of_an_answer_leaves_together_with_its_body_and_alone_when_there_is_none():
    pieces = []

    class Wide:
        def send(self, data):
            pieces.append(bytes(data))
            return len(data)

    for body in (b"body", b""):
        outgoing = Outgoing(Wide())
        outgoing.sendall(b"head ")
        if body:
            outgoing.sendall(body)
        outgoing.rewind()
        outgoing.flush()
        assert not outgoing.has_more
    assert pieces == [b"head body", b"head "]


def test_a_refusal_without_the_application_is_a_problem_document_that_ends_the_connection():
    head, _, body = raw_problem(408, "request_too_slow", "slow", retry_after_s=3).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n")
    assert b"Retry-After: 3" in head
    assert b'"status":408,"code":"request_too_slow"' in body


def test_unacceptable_tokens_of_an_address_are_counted_by_the_minute():
    failures = Failures()
    assert [failures.count("a", 0.0) for _ in range(FAILURES_PER_MINUTE_MAX)] == [0] * FAILURES_PER_MINUTE_MAX
    assert failures.count("a", 10.0) == 50
    assert failures.count("b", 10.0) == 0
    assert failures.count("a", 60.0) == 0
