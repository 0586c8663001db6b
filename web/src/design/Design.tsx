// The frame in which every component finds its looks. Styles are files only: the content security policy allows no other.
import { createTheme, MantineProvider } from "@mantine/core";
import type { ReactNode } from "react";
import "./mantine.css";
import "./tokens.css";

const theme = createTheme({
  primaryColor: "blue",
  defaultRadius: "sm",
  cursorType: "pointer",
  focusRing: "never", // tokens.css draws one for everything
  respectReducedMotion: true,
});

export function Design({ children }: { children: ReactNode }) {
  return (
    <MantineProvider
      theme={theme}
      defaultColorScheme="auto"
      withCssVariables={false}
      withGlobalClasses={false}
      withStaticClasses={false}
    >
      {children}
    </MantineProvider>
  );
}
