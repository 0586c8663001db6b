// What lies over the canvas in words: where the run broke, and while that is asked for, what everything means.
import type { Picture } from "~/api/console.gen";
import { Legend } from "./Legend";
import type { Moment } from "./moment";
import css from "./Picture.module.css";
import { Trouble } from "./Trouble";

interface Given {
  picture: Picture;
  moment: Moment;
  open: string;
  explains: boolean;
  onOpen: (id: string) => void;
}

export function Notes({ picture, moment, open, explains, onOpen }: Given) {
  return (
    <div className={css.notes}>
      {explains && <Legend />}
      <Trouble picture={picture} moment={moment} open={open} onOpen={onOpen} />
    </div>
  );
}
