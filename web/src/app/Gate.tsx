// Lets nobody further who is not signed in, and says above everything when the server is away.
import { Button } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect, useState, useSyncExternalStore } from "react";
import { health } from "~/api/health";
import { enter, sessionQuery } from "~/api/session";
import { Code } from "~/design/Copy";
import { Notice, Waiting } from "~/design/Notice";
import { useTexts } from "~/i18n";
import css from "./Gate.module.css";
import { appTexts } from "./texts";

export function Gate({ children }: { children: ReactNode }) {
  const state = useSyncExternalStore(health.subscribe, health.get);
  const entering = useEntering();
  const session = useQuery({ ...sessionQuery, enabled: entering !== "busy" });
  const queries = useQueryClient();
  useEffect(() => {
    if (state === "well") void queries.invalidateQueries({ predicate: (query) => query.queryKey[0] !== "session" });
  }, [state, queries]);
  if (state === "signed-out") return <SignedOutPage used={entering === "refused"} />;
  if (!session.data) return <div className={css.alone}>{state === "lost" ? <Lost /> : <Waiting />}</div>;
  return (
    <>
      {state === "lost" && <Lost />}
      {children}
    </>
  );
}

/** Uses the code in the address's fragment up, once, and takes it out of the address. */
function useEntering(): "busy" | "over" | "refused" {
  const [state, setState] = useState<"busy" | "over" | "refused">(() =>
    /[#&](code|link)=/.test(location.hash) ? "busy" : "over",
  );
  useEffect(() => {
    if (state !== "busy") return;
    const fragment = location.hash;
    history.replaceState(null, "", location.pathname + location.search);
    enter(fragment)
      .then(() => setState("over"))
      .catch(() => setState("refused"));
  }, [state]);
  return state;
}

function Lost() {
  const say = useTexts(appTexts);
  return (
    <div className={css.lost}>
      <Notice kind="waits" title={say("lost.title")}>
        {say("lost.text")}
      </Notice>
    </div>
  );
}

function SignedOutPage({ used }: { used: boolean }) {
  const say = useTexts(appTexts);
  return (
    <main className={css.alone}>
      <img src="/console/assets/trigpoint.svg" width={48} height={48} alt="" />
      <h1>{say("signedOut.title")}</h1>
      {used && <Notice kind="waits">{say("code.bad")}</Notice>}
      <p>{say("signedOut.text")}</p>
      <Code text="trig console" label="trig console" />
      <p>{say("signedOut.hint")}</p>
      <Button onClick={() => location.reload()}>{say("signedOut.check")}</Button>
    </main>
  );
}
