import { createTheme, Drawer, Menu, Modal, Paper, Tooltip } from "@mantine/core";

/** The head of a dialog is no banner of the page. */
export const NO_BANNER = { header: { role: "none" } };

/** Scroll locking inserts a <style> element, which the page's content security policy refuses. */
export const theme = createTheme({
  primaryColor: "indigo",
  defaultRadius: "md",
  cursorType: "pointer",
  components: {
    Modal: Modal.extend({ defaultProps: { lockScroll: false, centered: true, attributes: NO_BANNER } }),
    Drawer: Drawer.extend({ defaultProps: { lockScroll: false, position: "right", attributes: NO_BANNER } }),
    Menu: Menu.extend({ defaultProps: { shadow: "md", position: "bottom-end" } }),
    Paper: Paper.extend({ defaultProps: { withBorder: true } }),
    Tooltip: Tooltip.extend({
      defaultProps: { withArrow: true, openDelay: 300, events: { hover: true, focus: true, touch: true } },
    }),
  },
});
