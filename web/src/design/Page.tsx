// The frame of a page: where one is, what it is called, what can be done, and the parts below.
import { Link } from "@tanstack/react-router";
import { type ReactNode, useEffect } from "react";
import css from "./Page.module.css";

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
  useEffect(() => {
    document.title = `${title} · Trigpoint`;
  }, [title]);
  return (
    <div className={full ? css.full : css.page}>
      <header className={css.head}>
        <div className={css.heading}>
          {crumbs.length > 0 && (
            <nav className={css.crumbs} aria-label="Breadcrumb">
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
