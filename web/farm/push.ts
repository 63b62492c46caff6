// The browser itself as the place where messages go: its own service tells it, where it agrees.

/** A key as `pushManager` wants it. */
function bytes(text: string): Uint8Array<ArrayBuffer> {
  var plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  var found = new Uint8Array(plain.length);
  for (var i = 0; i < plain.length; i += 1) found[i] = plain.charCodeAt(i);
  return found;
}

/** The button is there where this browser could be told; pressed, it fills in and sends the form. */
export function offerPush(place: HTMLElement): void {
  if (!("serviceWorker" in navigator) || !("PushManager" in window)) return;
  var button = place.querySelector("button") as HTMLButtonElement;
  var denied = place.querySelector(".fault") as HTMLElement;
  var form = button.form as HTMLFormElement;
  place.hidden = false;

  function send(found: PushSubscription): void {
    var said = found.toJSON();
    Array.prototype.slice.call(form.querySelectorAll("[name=kenh], [name=diachi]")).forEach(
      function (each: HTMLInputElement) {
        (each.parentNode as Node).removeChild(each);
      },
    );
    var address = JSON.stringify({ endpoint: said.endpoint, keys: said.keys });
    [["kenh", place.getAttribute("data-channel") || ""], ["diachi", address]].forEach(
      function (pair) {
        var field = document.createElement("input");
        field.type = "hidden";
        field.name = pair[0] as string;
        field.value = pair[1] as string;
        form.appendChild(field);
      },
    );
    form.submit();
  }

  function refused(): void {
    denied.hidden = false;
  }

  button.addEventListener("click", function () {
    denied.hidden = true;
    navigator.serviceWorker
      .register("/nong-dan/sw.js", { scope: "/nong-dan" })
      .then(function () {
        return navigator.serviceWorker.getRegistration("/nong-dan");
      })
      .then(function (registration) {
        return (registration as ServiceWorkerRegistration).pushManager.subscribe({
          userVisibleOnly: true,
          applicationServerKey: bytes(place.getAttribute("data-key") || ""),
        });
      })
      .then(send, refused);
  });
}
