// A box to search a list by name; what is typed takes effect after a short rest.
import { CloseButton, TextInput } from "@mantine/core";
import { Search } from "lucide-react";
import { useEffect, useState } from "react";
import { useTexts } from "~/i18n";
import { designTexts } from "./texts";

const REST = 250;

interface Given {
  value: string;
  onChange: (value: string) => void;
  label: string;
  width?: number | string;
}

export function SearchBox({ value, onChange, label, width = 280 }: Given) {
  const say = useTexts(designTexts);
  const [typed, setTyped] = useState(value);
  useEffect(() => setTyped(value), [value]);
  useEffect(() => {
    if (typed === value) return;
    const rest = setTimeout(() => onChange(typed), REST);
    return () => clearTimeout(rest);
  }, [typed, value, onChange]);
  return (
    <TextInput
      value={typed}
      onChange={(event) => setTyped(event.currentTarget.value)}
      placeholder={label}
      aria-label={label}
      leftSection={<Search size={15} aria-hidden />}
      rightSection={typed && <CloseButton size="sm" aria-label={say("clear")} onClick={() => onChange("")} />}
      style={{ width, maxWidth: "100%" }}
    />
  );
}
