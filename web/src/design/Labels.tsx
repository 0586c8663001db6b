// The labels of a resource, as small marks.
import css from "./Labels.module.css";

/** Labels that Google's services add for themselves are left out. */
export function Labels({ labels }: { labels: Record<string, string> | undefined }) {
  const shown = Object.entries(labels ?? {}).filter(([key]) => !key.startsWith("aiplatform.googleapis.com/"));
  if (shown.length === 0) return null;
  return (
    <span className={css.labels} data-data>
      {shown.map(([key, value]) => (
        <span key={key} className={css.label} title={`${key}: ${value}`}>
          {value ? `${key}: ${value}` : key}
        </span>
      ))}
    </span>
  );
}
