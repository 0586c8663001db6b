// The bar at the top: project, search, language, appearance, account.
import { ActionIcon, Button, Menu, useMantineColorScheme } from "@mantine/core";
import { useHotkeys } from "@mantine/hooks";
import { useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { Check, ChevronDown, CircleUser, Languages, Search, SunMoon } from "lucide-react";
import { lazy, type ReactNode, Suspense, useState } from "react";
import { leave, useProject, useSession } from "~/api/session";
import { LANGUAGES, type Language, useLanguage, useTexts } from "~/i18n";
import css from "./TopBar.module.css";
import { appTexts } from "./texts";

const Palette = lazy(() => import("~/features/links").then((one) => ({ default: one.Palette })));

export function TopBar({ menu }: { menu: ReactNode }) {
  const { role } = useSession();
  return (
    <header className={css.bar}>
      {menu}
      <Link to="/" className={css.brand} aria-label="Trigpoint">
        <img src="/console/assets/trigpoint.svg" width={22} height={22} alt="" />
        <span>Trigpoint</span>
      </Link>
      {role === "owner" && <Projects />}
      <div className={css.gap} />
      {role === "owner" && <Finder />}
      <LanguageMenu />
      <LookMenu />
      <AccountMenu />
    </header>
  );
}

function Projects() {
  const say = useTexts(appTexts);
  const { projects } = useSession();
  const { project: segment } = useParams({ strict: false }) as { project?: string };
  const project = useProject(segment);
  const navigate = useNavigate();
  return (
    <Menu position="bottom-start">
      <Menu.Target>
        <Button
          variant="subtle"
          color="gray"
          className={css.project}
          rightSection={<ChevronDown size={14} aria-hidden />}
        >
          <span className={css.label}>{say("project")}: </span>
          <span className={css.name}>{project.id}</span>
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {projects.map((one) => (
          <Menu.Item
            key={one.number}
            onClick={() => void navigate({ to: `/projects/${one.id}` as "/" })}
            leftSection={
              <Check size={14} visibility={one.number === project.number ? "visible" : "hidden"} aria-hidden />
            }
          >
            {one.id} <small>{one.number}</small>
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

function Finder() {
  const say = useTexts(appTexts);
  const [open, setOpen] = useState(false);
  useHotkeys([["mod+K", () => setOpen(true)]], []);
  return (
    <>
      <Button
        variant="default"
        className={css.find}
        leftSection={<Search size={15} aria-hidden />}
        rightSection={<kbd>Ctrl K</kbd>}
        onClick={() => setOpen(true)}
      >
        <span className={css.hint}>{say("find")}</span>
      </Button>
      {open && (
        <Suspense>
          <Palette onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </>
  );
}

function LanguageMenu() {
  const say = useTexts(appTexts);
  const [now, choose] = useLanguage();
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" aria-label={say("language")}>
          <Languages size={18} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {(Object.keys(LANGUAGES) as Language[]).map((one) => (
          <Menu.Item key={one} lang={one} onClick={() => choose(one)} aria-current={one === now || undefined}>
            {LANGUAGES[one]}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

function LookMenu() {
  const say = useTexts(appTexts);
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" aria-label={say("look")}>
          <SunMoon size={18} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {(["auto", "light", "dark"] as const).map((one) => (
          <Menu.Item key={one} onClick={() => setColorScheme(one)} aria-current={one === colorScheme || undefined}>
            {say(`look.${one}`)}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

function AccountMenu() {
  const say = useTexts(appTexts);
  const session = useSession();
  const queries = useQueryClient();
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" aria-label={say("account")}>
          <CircleUser size={18} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{session.role === "viewer" ? say("viewer") : session.email}</Menu.Label>
        {session.role === "owner" && (
          <Menu.Item component={Link} to={"/access" as "/"}>
            {say("access")}
          </Menu.Item>
        )}
        <Menu.Item onClick={() => void leave().then(() => queries.clear())}>{say("signOut")}</Menu.Item>
        <Menu.Label>{`Trigpoint ${session.version}`}</Menu.Label>
      </Menu.Dropdown>
    </Menu>
  );
}
