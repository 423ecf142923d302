// A link may carry the token behind `#token=`: that part of an address is never sent to any server.
const given = new URLSearchParams(location.hash.slice(1)).get("token");
if (given) {
  history.replaceState(null, "", location.pathname + location.search);
  document.getElementById("token").value = given;
  document.getElementById("sign-in").submit();
}
