import { type Asked, place } from "./layout";

self.onmessage = (event: MessageEvent<{ number: number; asked: Asked }>) => {
  const { number, asked } = event.data;
  self.postMessage({ number, placed: place(asked) });
};
