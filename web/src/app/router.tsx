// Which page answers which address. Every page is loaded when it is first opened.
import type { QueryClient } from "@tanstack/react-query";
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
} from "@tanstack/react-router";
import { sessionQuery } from "~/api/session";
import { Waiting } from "~/design/Notice";
import { Broken, Missing } from "./Missing";
import { Shell } from "./Shell";

interface Context {
  queries: QueryClient;
}

const root = createRootRouteWithContext<Context>()({
  component: Shell,
  notFoundComponent: Missing,
  errorComponent: Broken,
});

type Search = Record<string, string | undefined>;

/** Query parameters are plain text; each page knows its own. */
function asText(search: Record<string, unknown>): Search {
  return Object.fromEntries(
    Object.entries(search).map(([key, value]) => [key, value === undefined ? "" : String(value)]),
  );
}

const start = createRoute({
  getParentRoute: () => root,
  path: "/",
  beforeLoad: async ({ context }) => {
    const session = await context.queries.ensureQueryData(sessionQuery);
    const to = session.role === "viewer" ? `/${session.run}` : `/projects/${session.project}`;
    throw redirect({ to: to as "/", replace: true });
  },
});

const LAZY = {
  "/projects/$project": lazyRouteComponent(() => import("~/features/home"), "HomePage"),
  "/projects/$project/training": lazyRouteComponent(() => import("~/features/training"), "TrainingPage"),
  "/projects/$project/training/new": lazyRouteComponent(() => import("~/features/training"), "NewJobPage"),
  "/projects/$project/locations/$location/trainingPipelines/$id": lazyRouteComponent(
    () => import("~/features/training"),
    "RunPage",
  ),
  "/projects/$project/locations/$location/customJobs/$id": lazyRouteComponent(
    () => import("~/features/training"),
    "RunPage",
  ),
  "/projects/$project/data": lazyRouteComponent(() => import("~/features/storage"), "BucketsPage"),
  "/data/$bucket/$": lazyRouteComponent(() => import("~/features/storage"), "ObjectsPage"),
  "/projects/$project/datasets": lazyRouteComponent(() => import("~/features/datasets"), "DatasetsPage"),
  "/projects/$project/locations/$location/datasets/$id": lazyRouteComponent(
    () => import("~/features/datasets"),
    "DatasetPage",
  ),
  "/projects/$project/models": lazyRouteComponent(() => import("~/features/models"), "ModelsPage"),
  "/projects/$project/locations/$location/models/$id": lazyRouteComponent(
    () => import("~/features/models"),
    "ModelPage",
  ),
  "/projects/$project/lineage": lazyRouteComponent(() => import("~/features/lineage"), "LineagePage"),
  "/access": lazyRouteComponent(() => import("~/features/access"), "AccessPage"),
  "/go": lazyRouteComponent(() => import("~/features/links"), "GoPage"),
} as const;

const pages = Object.entries(LAZY).map(([path, component]) =>
  createRoute({ getParentRoute: () => root, path, component, validateSearch: asText }),
);

const Loading = () => <Waiting lines={6} />;

export function makeRouter(queries: QueryClient) {
  return createRouter({
    routeTree: root.addChildren([start, ...pages]),
    basepath: "/console",
    context: { queries },
    defaultPreload: "intent",
    // The frame stands before its page has been loaded.
    defaultPendingMs: 0,
    defaultPendingMinMs: 0,
    defaultPendingComponent: Loading,
    trailingSlash: "preserve", // a folder of a bucket ends in one
    scrollRestoration: true,
    // Addresses stay readable: ?state=FAILED, not JSON.
    parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
    stringifySearch: (search) => {
      const given = Object.entries(search).filter(([, value]) => value !== undefined && value !== "");
      const query = new URLSearchParams(given.map(([key, value]) => [key, String(value)])).toString();
      return query ? `?${query}` : "";
    },
  });
}
