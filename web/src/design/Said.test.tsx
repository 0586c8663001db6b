import i18next from "i18next";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, it } from "vitest";
import { loadCatalogue } from "~/i18n/catalogue";
import { Said } from "./Said";

const SENTENCE = "The agent of x disappeared without reporting an outcome.";

it("words what the service says, and never what a program printed", async () => {
  await loadCatalogue("zh");
  await i18next.changeLanguage("zh");
  expect(renderToStaticMarkup(<Said text={SENTENCE} />)).toMatch(/[\u4e00-\u9fff]/);
  expect(renderToStaticMarkup(<Said text={SENTENCE} printed />)).toBe(`<span lang="en">${SENTENCE}</span>`);
});
