// Shows what is told to a browser that has agreed to it; keeps no page and answers no request.

interface Told {
  title?: string;
  body?: string;
  tag?: string;
  critical?: boolean;
}

interface Waits extends Event {
  waitUntil(done: Promise<unknown>): void;
}

interface Pushed extends Waits {
  data: { json(): Told } | null;
}

interface Clicked extends Waits {
  notification: Notification;
}

interface Worker {
  addEventListener(kind: "push", heard: (event: Pushed) => void): void;
  addEventListener(kind: "notificationclick", heard: (event: Clicked) => void): void;
  registration: { showNotification(title: string, more: NotificationOptions): Promise<void> };
  clients: { openWindow(url: string): Promise<unknown> };
}

const worker = self as unknown as Worker;

worker.addEventListener("push", (event) => {
  const told: Told = event.data ? event.data.json() : {};
  event.waitUntil(
    worker.registration.showNotification(told.title || "Sông Tiền", {
      body: told.body || "",
      tag: told.tag || "",
      lang: "vi",
      requireInteraction: told.critical === true,
    }),
  );
});

worker.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(worker.clients.openWindow("/nong-dan"));
});
