import { Button } from "@mantine/core";
import { Link, useParams } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { useMemo } from "react";
import type { RunItem } from "~/api/console.gen";
import { useProject } from "~/api/session";
import { useAddress } from "~/design/address";
import { Go } from "~/design/Go";
import { Labels } from "~/design/Labels";
import { Empty, Problem, Waiting } from "~/design/Notice";
import { Card, Page } from "~/design/Page";
import { Said } from "~/design/Said";
import { isOver, State } from "~/design/State";
import { type Column, Table } from "~/design/Table";
import { Ago, Took } from "~/design/Time";
import { type Say, useTexts } from "~/i18n";
import { saidNow } from "~/i18n/said";
import { FilterBar } from "./FilterBar";
import css from "./Training.module.css";
import { trainingTexts } from "./texts";
import { type Filters, useRuns } from "./useRuns";

export function TrainingPage() {
  const say = useTexts(trainingTexts);
  const project = useProject(useParams({ strict: false }).project);
  const [address, change] = useAddress();
  const filters: Filters = address;
  const list = useRuns(project.id, filters);
  const shown = useMemo(() => columns(say), [say]);
  const filtered = !!(address.q || address.state || address.kind || address.label);
  const fresh = (
    <Button
      component={Link}
      to={`/projects/${project.id}/training/new` as "/"}
      leftSection={<Plus size={16} aria-hidden />}
    >
      {say("new")}
    </Button>
  );
  const clear = (
    <Button variant="default" onClick={() => change({ q: "", state: "", kind: "", label: "" })}>
      {say("clear")}
    </Button>
  );
  return (
    <Page title={say("title")} actions={fresh}>
      <FilterBar filters={filters} onChange={(changes) => change({ ...changes })} />
      {list.isPending && <Waiting lines={8} />}
      {list.error && <Problem error={list.error} retry={list.retry} />}
      {!list.isPending && !list.error && list.runs.length === 0 && (
        <Empty title={filtered ? say("none.found") : say("none")} action={filtered ? clear : undefined}>
          {!filtered && say("why")}
        </Empty>
      )}
      {list.runs.length > 0 && (
        <Card>
          <Table
            label={say("title")}
            rows={list.runs}
            columns={shown}
            keyOf={(run) => run.name}
            order={address.order || "created desc"}
            onOrder={(order) => change({ order })}
            onEnd={list.more}
            total={list.total}
          />
        </Card>
      )}
    </Page>
  );
}

function columns(say: Say<(typeof trainingTexts.keys)[number]>): Column<RunItem>[] {
  return [
    { id: "state", title: say("state"), width: "112px", cell: (run) => <State state={run.state} /> },
    {
      id: "title",
      title: say("name"),
      width: "minmax(150px, 2fr)",
      order: "title",
      cell: (run) => (
        <Go to={`/${run.name}`} title={run.title}>
          {run.title}
        </Go>
      ),
    },
    {
      id: "what",
      title: say("what"),
      width: "minmax(140px, 3fr)",
      optional: true,
      cell: (run) => (
        <span
          className={run.state.endsWith("FAILED") ? css.cause : css.muted}
          title={(run.printed ? run.cause : saidNow(run.cause || run.reason)) || run.code}
          data-data={!run.cause && !run.reason ? "" : undefined}
        >
          {run.cause || run.reason ? <Said text={run.cause || run.reason} printed={run.printed} /> : run.code}
        </span>
      ),
    },
    {
      id: "labels",
      title: "",
      width: "minmax(60px, 1fr)",
      optional: true,
      cell: (run) => <Labels labels={run.labels} />,
    },
    {
      id: "machine",
      title: say("machine"),
      width: "150px",
      optional: true,
      cell: (run) => run.machines,
    },
    {
      id: "took",
      title: say("took"),
      width: "80px",
      numeric: true,
      optional: true,
      cell: (run) =>
        run.started || !isOver(run.state) ? <Took from={run.started || run.created} to={run.ended} /> : "–",
    },
    {
      id: "created",
      title: say("created"),
      width: "120px",
      optional: true,
      order: "created",
      cell: (run) => <Ago at={run.created} />,
    },
  ];
}
