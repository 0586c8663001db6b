import { type NodeProps, ReactFlowProvider } from "@xyflow/react";
import i18next from "i18next";
import type { ReactElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { beforeAll, describe, expect, it } from "vitest";
import type { Picture } from "~/api/console.gen";
import { loadCatalogue } from "~/i18n/catalogue";
import { AsText } from "./AsText";
import { Broken } from "./Broken";
import { momentOf } from "./moment";
import { NODES } from "./nodes";
import { Trouble } from "./Trouble";

const SENTENCE = "The agent of x disappeared without reporting an outcome.";

/** The places of a picture that say why its replica failed. */
function drawn(printed: boolean, reason = SENTENCE): Record<string, string> {
  const common = { title: "x", since: 10, until: 90, parent: "", facts: {} };
  const step = { time: 90, reason, printed, facts: { outcome: "FAILED" } };
  const picture = {
    ...{ run: "run", title: "run", project: "p", tenant: "t", state: "FAILED", since: 10, until: 90 },
    nodes: [
      { ...common, id: "job", kind: "job", region: "user", resource: "run", states: [{ ...step, state: "FAILED" }] },
      { ...common, id: "attempt/1", kind: "attempt", region: "tenant", resource: "", states: [] },
      {
        ...common,
        ...{ id: "attempt/1/replica/x", kind: "replica", region: "tenant", resource: "" },
        states: [{ ...step, state: "ENDED" }],
      },
    ],
    edges: [],
    moments: [],
  } as Picture;
  const moment = momentOf(picture, 90);
  const seen = moment.nodes.get("attempt/1/replica/x");
  if (!seen) throw new Error("no replica");
  const Card = NODES.card as unknown as (given: Pick<NodeProps, "data">) => ReactElement;
  const none = () => undefined;
  return {
    broken: renderToStaticMarkup(<Broken seen={seen} />),
    trouble: renderToStaticMarkup(<Trouble picture={picture} moment={moment} open="" onOpen={none} />),
    text: renderToStaticMarkup(<AsText moment={moment} explains={false} onOpen={none} />),
    card: renderToStaticMarkup(
      <ReactFlowProvider>
        <Card data={{ seen }} />
      </ReactFlowProvider>,
    ),
  };
}

describe("why a replica failed, in Chinese", () => {
  beforeAll(async () => {
    await loadCatalogue("zh");
    await i18next.changeLanguage("zh");
  });

  it("is worded where the agent says it", () => {
    for (const [place, shown] of Object.entries(drawn(false))) expect(shown, place).not.toContain(SENTENCE);
  });

  it("stays as a program printed it, also where that reads like a sentence or a state of ours", () => {
    for (const reason of [SENTENCE, "PENDING"])
      for (const [place, shown] of Object.entries(drawn(true, reason)))
        expect(shown, place).toContain(`<span lang="en">${reason}</span>`);
  });
});
