// A link may carry the token behind `#token=`: that part of an address is never sent to any server.
function signInByLink() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (!given) return;
  history.replaceState(null, "", location.pathname + location.search);
  document.getElementById("token").value = given;
  document.getElementById("sign-in").submit();
}

// Such a link, pasted into a tab that shows this page, changes what is behind `#` and loads nothing.
addEventListener("hashchange", signInByLink);
signInByLink();
