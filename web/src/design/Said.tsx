// What the server or the agent says, in the page's language; what has no words in it stays, marked as English.
import { useLanguage } from "~/i18n";
import { said } from "~/i18n/said";

/** What a program `printed` stays as it is, also where it reads like one of our sentences. */
export function Said({ text, printed = false }: { text: string; printed?: boolean }) {
  const [now] = useLanguage();
  if (printed) return <span lang="en">{text}</span>;
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
