// Click a picture to see it large; the arrow keys, or another click, show the next one.
const links = [...document.querySelectorAll("main a")];
const dialog = document.querySelector("dialog");
let shown = 0;

function show(index) {
  shown = (index + links.length) % links.length;
  dialog.querySelector("img").src = links[shown].href;
  dialog.querySelector("p").textContent =
    links[shown].title + ": " + links[shown].querySelector("figcaption").textContent;
  if (!dialog.open) dialog.showModal();
}

links.forEach((link, index) => link.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  show(index);
}));
dialog.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close();
  else show(shown + 1);
});
document.addEventListener("keydown", (event) => {
  if (!dialog.open) return;
  if (event.key === "ArrowRight") show(shown + 1);
  if (event.key === "ArrowLeft") show(shown - 1);
});
