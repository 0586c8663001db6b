// What stands around every page: sections at the side, project and search at the top.
import { ActionIcon, Drawer } from "@mantine/core";
import { Link, Outlet, useParams, useRouterState } from "@tanstack/react-router";
import { Boxes, Database, GitFork, House, Layers, Menu as MenuIcon, Play } from "lucide-react";
import { Suspense, useEffect, useState } from "react";
import { useLiveProject } from "~/api/resources";
import { useProject, useSession } from "~/api/session";
import { Waiting } from "~/design/Notice";
import { useTexts } from "~/i18n";
import { Missing } from "./Missing";
import css from "./Shell.module.css";
import { TopBar } from "./TopBar";
import { appTexts } from "./texts";

const SECTIONS = [
  { key: "home", path: "", icon: House },
  { key: "training", path: "/training", icon: Play },
  { key: "datasets", path: "/datasets", icon: Layers },
  { key: "models", path: "/models", icon: Boxes },
  { key: "lineage", path: "/lineage", icon: GitFork },
  { key: "data", path: "/data", icon: Database },
] as const;

/** Kinds of resources, and the sections that show them. */
const HOLDERS: Record<string, string> = {
  trainingPipelines: "training",
  customJobs: "training",
  datasets: "datasets",
  models: "models",
};

/** The section that a page of one thing belongs to. */
function sectionOf(path: string): string | undefined {
  const kind = /\/locations\/[^/]+\/([^/]+)\/./.exec(path)?.[1] ?? "";
  return HOLDERS[kind] ?? (/^(\/console)?\/data\//.test(path) ? "data" : undefined);
}

export function Shell() {
  const say = useTexts(appTexts);
  const { role, projects } = useSession();
  const { project: segment } = useParams({ strict: false }) as { project?: string };
  const { number } = useProject(segment);
  useLiveProject(role === "owner" ? number : "");
  const known =
    role !== "owner" ||
    !segment ||
    segment === "-" ||
    projects.some(({ id, number }) => segment === id || segment === number);
  const [open, setOpen] = useState(false);
  const path = useRouterState({ select: (state) => state.location.pathname });
  // biome-ignore lint/correctness/useExhaustiveDependencies: the menu closes whenever another page is opened
  useEffect(() => setOpen(false), [path]);
  return (
    <div className={css.shell}>
      <a href="#content" className={css.skip}>
        {say("skip")}
      </a>
      <TopBar
        menu={
          role === "owner" && (
            <ActionIcon
              variant="subtle"
              color="gray"
              className={css.burger}
              aria-label={say("menu")}
              onClick={() => setOpen(true)}
            >
              <MenuIcon size={20} aria-hidden />
            </ActionIcon>
          )
        }
      />
      {role === "owner" && (
        <>
          <nav className={css.side} aria-label={say("sections")}>
            <Sections />
          </nav>
          <Drawer opened={open} onClose={() => setOpen(false)} size={240} title="Trigpoint">
            <nav aria-label={say("sections")}>
              <Sections />
            </nav>
          </Drawer>
        </>
      )}
      <main id="content" tabIndex={-1} className={css.main} data-alone={role !== "owner" || undefined}>
        <Suspense fallback={<Waiting lines={6} />}>{known ? <Outlet /> : <Missing />}</Suspense>
      </main>
    </div>
  );
}

function Sections() {
  const say = useTexts(appTexts);
  const { project: segment } = useParams({ strict: false }) as { project?: string };
  const project = useProject(segment);
  const within = useRouterState({ select: (state) => sectionOf(state.location.pathname) });
  return (
    <ul className={css.sections}>
      {SECTIONS.map(({ key, path, icon: Icon }) => (
        <li key={key}>
          <Link
            to={`/projects/${project.id}${path}` as "/"}
            activeOptions={{ exact: path === "" }}
            className={css.section}
            aria-current={key === within || undefined}
            activeProps={{ "aria-current": "page" }}
          >
            <Icon size={18} aria-hidden />
            {say(key)}
          </Link>
        </li>
      ))}
    </ul>
  );
}
