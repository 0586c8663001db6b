// What the server or the agent says, in the page's language; what has no words in it stays, marked as English.
import { useLanguage } from "~/i18n";
import { said } from "~/i18n/said";

export function Said({ text }: { text: string }) {
  const [now] = useLanguage();
  return said(text, now).map((piece, index) =>
    piece.foreign ? (
      // biome-ignore lint/suspicious/noArrayIndexKey: pieces of one text never move
      <span key={index} lang="en">
        {piece.text}
      </span>
    ) : (
      piece.text
    ),
  );
}
