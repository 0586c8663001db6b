// Why a run failed: what happened, the line that shows it, what to do, and the evidence.
import { Button } from "@mantine/core";
import type { FailureInfo } from "~/api/console.gen";
import { Code } from "~/design/Copy";
import { Card } from "~/design/Page";
import { Said } from "~/design/Said";
import { useTexts } from "~/i18n";
import css from "./Training.module.css";
import { trainingTexts } from "./texts";

export function Failure({ failure, onLogs }: { failure: FailureInfo; onLogs: () => void }) {
  const say = useTexts(trainingTexts);
  return (
    <Card
      title={say("failure")}
      actions={
        <Button size="compact-sm" variant="default" onClick={onLogs}>
          {say("more")}
        </Button>
      }
    >
      <p className={css.what}>
        <Said text={failure.what} />
      </p>
      {failure.line && (
        <p className={css.line} data-data>
          <Said text={failure.line} printed={failure.printed} />
        </p>
      )}
      {failure.hints.length > 0 && (
        <ul className={css.hints}>
          {failure.hints.map((hint) => (
            <li key={hint}>{say(`hint.${hint}`)}</li>
          ))}
        </ul>
      )}
      {failure.evidence && failure.evidence !== failure.line && (
        <details className={css.evidence}>
          <summary>{say("evidence", { task: failure.task })}</summary>
          <Code text={failure.evidence} label={say("evidence", { task: failure.task })} />
        </details>
      )}
    </Card>
  );
}
