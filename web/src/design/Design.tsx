// The frame in which every component finds its looks. Styles are files only: the content security policy allows no other.
import { createTheme, defaultVariantColorsResolver, MantineProvider } from "@mantine/core";
import type { ReactNode } from "react";
import "./mantine.css";
import "./tokens.css";

const theme = createTheme({
  primaryColor: "blue",
  defaultRadius: "sm",
  cursorType: "pointer",
  focusRing: "never", // tokens.css draws one for everything
  respectReducedMotion: true,
  // Hiding the page's scrollbar would take a style sheet made on the spot, and move the page.
  components: { Modal: { defaultProps: { removeScrollProps: { removeScrollBar: false } } } },
  variantColorResolver: (input) => {
    const found = defaultVariantColorsResolver(input);
    return input.variant === "filled" ? { ...found, color: "var(--on-accent)" } : found;
  },
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
