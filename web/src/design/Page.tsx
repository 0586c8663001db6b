// The frame of a page: where one is, what it is called, what can be done, and the parts below.
import { Link } from "@tanstack/react-router";
import { type ReactNode, useEffect } from "react";
import { useTexts } from "~/i18n";
import css from "./Page.module.css";
import { designTexts } from "./texts";

export interface Crumb {
  label: string;
  to: string;
}

interface Given {
  title: string;
  /** beside the title: a state, a count */
  aside?: ReactNode;
  crumbs?: readonly Crumb[];
  actions?: ReactNode;
  /** below the title, one line */
  lead?: ReactNode;
  /** uses the whole width and height, without padding below the head */
  full?: boolean;
  children: ReactNode;
}

export function Page({ title, aside, crumbs = [], actions, lead, full, children }: Given) {
  const say = useTexts(designTexts);
  useEffect(() => {
    document.title = `${title} · Trigpoint`;
  }, [title]);
  return (
    <div className={full ? css.full : css.page}>
      <header className={css.head}>
        <div className={css.heading}>
          {crumbs.length > 0 && (
            <nav className={css.crumbs} aria-label={say("crumbs")}>
              {crumbs.map((crumb) => (
                <Link key={crumb.to} to={crumb.to}>
                  {crumb.label}
                </Link>
              ))}
            </nav>
          )}
          <div className={css.title}>
            <h1 title={title}>{title}</h1>
            {aside}
          </div>
          {lead && <div className={css.lead}>{lead}</div>}
        </div>
        {actions && <div className={css.actions}>{actions}</div>}
      </header>
      <div className={css.body}>{children}</div>
    </div>
  );
}

/** What may be wider than the screen: it scrolls by itself, also by keyboard. */
export function Wide({
  label,
  className,
  children,
}: {
  label: string;
  className?: string | undefined;
  children: ReactNode;
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: see above
    <section className={`${css.wide} ${className ?? ""}`} tabIndex={0} aria-label={label}>
      {children}
    </section>
  );
}

/** A part of a page on a surface of its own. */
export function Card({ title, actions, children }: { title?: string; actions?: ReactNode; children: ReactNode }) {
  return (
    <section className={css.card}>
      {title && (
        <div className={css.cardHead}>
          <h2>{title}</h2>
          {actions}
        </div>
      )}
      {children}
    </section>
  );
}
