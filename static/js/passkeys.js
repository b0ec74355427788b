// Buttons that need a passkey are shown where the browser knows them; what goes wrong is told on the page.
if (window.PublicKeyCredential) {
  for (const button of document.querySelectorAll("[data-passkey]")) button.hidden = false;
}
document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  for (const place of document.querySelectorAll("[data-passkey-trouble]")) {
    place.textContent = place.dataset.words;
    place.hidden = false;
  }
});
