"use strict";
const share = document.getElementById("share");
share.addEventListener("input", () => share.parentElement.style.setProperty("--share", `${share.value}%`));
