// The picture of a run as its stream tells it: whole at first, then what changes.
import { useEffect, useState } from "react";
import { ask } from "~/api/client";
import type { Patch, Picture } from "~/api/console.gen";
import { live } from "~/api/live";
import { patched } from "./moment";

export function usePicture(run: string): { picture: Picture | undefined; error: unknown } {
  const [picture, setPicture] = useState<Picture | undefined>();
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    let over = false;
    setPicture(undefined);
    setError(undefined);
    // The stream brings the picture too; asking as well shows it sooner, and says what is wrong when nothing comes.
    ask<Picture>("/picture", { query: { run } })
      .then((found) => over || setPicture((now) => now ?? found))
      .catch((problem: unknown) => over || setError(problem));
    const topic = `run/${run}`;
    const leave = [
      live.follow(topic, "picture", (data) => {
        setError(undefined);
        setPicture(data as Picture);
      }),
      live.follow(topic, "patch", (data) => setPicture((now) => now && patched(now, data as Patch))),
    ];
    return () => {
      over = true;
      for (const each of leave) each();
    };
  }, [run]);
  return { picture, error };
}
