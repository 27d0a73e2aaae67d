/**
 * Light or dark before the first paint: `?theme=`, then the last choice, then the system's.
 * A classic script, since modules run only after the page has been painted.
 */
{
  const asked = new URLSearchParams(location.search).get("theme") ?? localStorage.getItem("theme");
  if (asked === "light" || asked === "dark") document.documentElement.dataset.theme = asked;
}
