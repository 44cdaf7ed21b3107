// What is to be seen on a screen, and what is wrong with it. Runs in the page: `look`.
// "Flat" is the tree as it is drawn: shadow roots instead of hosts' children, what is
// slotted instead of slots.
window.look = (() => {
  const SILENT = new Set(["STYLE", "SCRIPT", "TEMPLATE", "LINK", "NOSCRIPT", "SVG", "svg"]);
  // What people typed or what is code may look like anything.
  const CODE = "ha-code-editor, ha-yaml-editor, code, pre, input, textarea";
  // What is meant to be scrolled sideways.
  const SIDEWAYS = "pre, ha-code-editor, ha-tab-group, ha-data-table, [role=tablist]";
  const RAW = [
    /\bcomponent\.[a-z_]+\.[a-z_.]+/, // a key of an integration
    /\bui\.(panel|dialogs|components|common|card|notification|errors)\.[a-z_.-]+/,
    /^[a-z][a-z0-9]*(_[a-z0-9]+)+$/, // the name of a field instead of its label
    /\{[a-z_]+\}/, // a placeholder that nobody filled in
    /\[object |\bundefined\b|\bNaN\b|translation error/i,
  ];
  const LIMIT = 1; // pixels that are nothing

  const flat = (node) => {
    if (node.shadowRoot) return node.shadowRoot.childNodes;
    if (node.tagName === "SLOT") {
      const assigned = node.assignedNodes();
      if (assigned.length) return assigned;
    }
    return node.childNodes;
  };

  // Visit what is drawn below a node; `clip` is what its ancestors let be seen.
  const walk = (node, visit, clip = { left: -Infinity, right: Infinity, top: -Infinity, bottom: Infinity }, owners = []) => {
    for (const child of flat(node)) {
      if (child.nodeType === Node.TEXT_NODE) {
        if (child.textContent.trim()) visit(child, clip, owners);
        continue;
      }
      if (child.nodeType !== Node.ELEMENT_NODE || SILENT.has(child.tagName)) continue;
      const style = getComputedStyle(child);
      if (style.display === "none" || style.visibility === "hidden" || style.opacity === "0") continue;
      let inner = clip;
      if (style.display !== "contents") {
        const box = child.getBoundingClientRect();
        const hides = (overflow) => overflow === "hidden" || overflow === "clip";
        if (hides(style.overflowX) || hides(style.overflowY)) {
          // a collapsed section, or what only screen readers read
          if (box.width <= 1 || box.height <= 1) continue;
        }
        if (hides(style.overflowX)) {
          inner = { ...inner, left: Math.max(inner.left, box.left), right: Math.min(inner.right, box.right) };
        } else if (style.overflowX !== "visible") {
          inner = { ...inner, left: -Infinity, right: Infinity };
        }
        if (hides(style.overflowY)) {
          inner = { ...inner, top: Math.max(inner.top, box.top), bottom: Math.min(inner.bottom, box.bottom) };
        } else if (style.overflowY !== "visible") {
          inner = { ...inner, top: -Infinity, bottom: Infinity };
        }
      }
      if (visit(child, inner, owners) === false) continue;
      walk(child, visit, inner, [...owners, child]);
    }
  };

  const boxed = (element) => {
    const box = element.getBoundingClientRect();
    return box.width > 0 && box.height > 0;
  };

  // The dialog on top, or else what is beside the sidebar, or else the page.
  const scope = () => {
    let top = null;
    let panel = null;
    walk(document, (node) => {
      if (node.nodeType !== Node.ELEMENT_NODE) return;
      if (node.matches("dialog[open]") && boxed(node)) top = node;
      if (node.matches("partial-panel-resolver")) panel = node;
    });
    return top ?? panel ?? document.body;
  };

  const text = (root) => {
    const found = [];
    walk(root, (node) => {
      if (node.nodeType === Node.TEXT_NODE) found.push(node.textContent.trim().replace(/\s+/g, " "));
    });
    return found;
  };

  const words = () => text(scope()).join(" ").split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length;

  const rects = (node) => {
    const range = document.createRange();
    range.selectNodeContents(node);
    return [...range.getClientRects()].filter((box) => box.width > 0 && box.height > 0);
  };

  const name = (element) => element.tagName.toLowerCase();

  const rawKeys = (root) => {
    const problems = new Set();
    const check = (value) => {
      if (value && RAW.some((pattern) => pattern.test(value.trim()))) problems.add(`raw text: ${value.trim()}`);
    };
    walk(root, (node) => {
      if (node.nodeType === Node.TEXT_NODE) return check(node.textContent);
      if (node.matches(CODE)) return false;
      for (const attribute of ["aria-label", "title", "placeholder"]) check(node.getAttribute(attribute));
    });
    return [...problems];
  };

  const helperOf = (field) => {
    let found = "";
    walk(field, (node) => {
      if (node.nodeType === Node.ELEMENT_NODE && node.matches("ha-input-helper-text, [slot=hint], [slot=helper], ha-markdown"))
        found ||= text(node).join(" ");
    });
    return found;
  };

  // Each field of a form says what it is for, below it or beside it.
  const bareFields = (root) => {
    const problems = [];
    walk(root, (node, _clip, owners) => {
      if (node.nodeType !== Node.ELEMENT_NODE || !node.matches("ha-selector")) return;
      // The target of an action explains itself.
      if (node.selector?.target !== undefined) return false;
      const row = owners.findLast((owner) => owner.matches("ha-settings-row, ha-selector, ha-form"));
      if (row?.matches("ha-selector")) return false;
      const label = node.label ?? text(row ?? node)[0] ?? "";
      if (row?.matches("ha-settings-row")) {
        const slotted = (slot) => {
          const found = row.querySelector(`[slot=${slot}]`);
          return found ? text(found).join(" ") : "";
        };
        const heading = slotted("heading");
        const description = slotted("description");
        if (!heading) problems.push(`a field without a label: ${text(row).join(" ")}`);
        if (!description) problems.push(`no description of the field ${heading}`);
      } else {
        if (!label) problems.push("a field without a label");
        if (!helperOf(node)) problems.push(`no description of the field ${label}`);
      }
      return false;
    });
    return problems;
  };

  const missingIcons = (root) => {
    const problems = [];
    walk(root, (node, _clip, owners) => {
      if (node.nodeType !== Node.ELEMENT_NODE) return;
      const near = () => text(owners.findLast((owner) => text(owner).length) ?? root).slice(0, 2).join(" ");
      if (node.matches("ha-svg-icon")) {
        if (!node.path) problems.push(`an icon without a drawing, near: ${near()}`);
        return false;
      }
      if (node.matches("ha-icon, ha-state-icon, ha-service-icon, ha-trigger-icon, ha-condition-icon")) {
        let drawn = false;
        walk(node, (inner) => {
          if (inner.nodeType === Node.ELEMENT_NODE && (inner.path || inner.querySelector?.("path"))) drawn = true;
        });
        if (!drawn) problems.push(`${name(node)} ${node.icon ?? ""} shows nothing, near: ${near()}`);
        return false;
      }
      // The pictures of other integrations come from the internet.
      if (node.matches("img") && /zoho_voice/.test(node.src) && node.complete && !node.naturalWidth)
        problems.push(`no picture at ${node.src}`);
    });
    return problems;
  };

  const cutOff = (root) => {
    const problems = new Set();
    const page = document.scrollingElement;
    if (page.scrollWidth > innerWidth + LIMIT) problems.add(`the page is ${page.scrollWidth} pixels wide`);
    walk(root, (node, clip) => {
      if (node.nodeType === Node.TEXT_NODE) {
        for (const box of rects(node)) {
          const left = Math.max(clip.left, clip.left === -Infinity ? -Infinity : 0);
          const right = Math.min(clip.right, clip.right === Infinity ? Infinity : innerWidth);
          const aside = box.left < left - LIMIT || box.right > right + LIMIT;
          const below = box.bottom > clip.bottom + box.height / 2 || box.top < clip.top - box.height / 2;
          if (aside || below) {
            problems.add(`cut off ${aside ? "at the side" : "below"}: ${node.textContent.trim()}`);
            break;
          }
        }
        return;
      }
      if (node.matches(SIDEWAYS)) return false;
      if (/auto|scroll/.test(getComputedStyle(node).overflowX) && node.scrollWidth > node.clientWidth + LIMIT)
        problems.add(`has to be scrolled sideways: ${node.scrollWidth} pixels, of which ${node.clientWidth} are seen`);
    });
    return [...problems];
  };

  // Two equal ones, a moment apart, mean that the screen is at rest.
  const state = () => {
    const parts = [];
    let busy = false;
    walk(document, (node) => {
      if (node.nodeType === Node.TEXT_NODE) {
        parts.push(node.textContent, ...rects(node).map((box) => `${Math.round(box.x)},${Math.round(box.y)}`));
      } else if (node.matches("ha-spinner, ha-fade-in, step-flow-loading")) {
        busy = true;
      } else if (node.matches("dialog[open]")) {
        const box = node.getBoundingClientRect();
        parts.push([box.x, box.y, box.width, box.height].join());
      } else if (node.matches("img") && !node.complete) {
        busy = true;
      }
    });
    return busy ? "" : parts.join("\n");
  };

  const check = () => {
    const root = scope();
    return [...rawKeys(root), ...bareFields(root), ...missingIcons(root)];
  };

  // A violation is ours if it is about what we bring: the text of a markdown, or the
  // name of a field. The rest of a dialog is drawn by the frontend's own components, and
  // colors come from its theme.
  const owner = (rule, node) => {
    if (rule.startsWith("color-contrast")) return "frontend";
    const markdown = "ha-markdown, ha-markdown-element, ha-alert";
    let nameless = false;
    for (let each = node; each; each = each.assignedSlot ?? each.parentNode ?? each.host) {
      if (each.nodeType !== Node.ELEMENT_NODE) continue;
      if (each.matches(markdown)) return "ours";
      if (each.matches("ha-selector") && !each.label && !each.closest("ha-settings-row")) nameless = true;
    }
    return nameless ? "ours" : "frontend";
  };
  const host = (node) => {
    const root = node.getRootNode();
    return root.host ? name(root.host) : name(node);
  };
  const accessibility = async () => {
    const result = await axe.run(scope(), { elementRef: true, resultTypes: ["violations"] });
    return result.violations.flatMap((violation) =>
      violation.nodes.map(({ element, html }) => ({
        rule: violation.id,
        help: violation.help,
        owner: owner(violation.id, element),
        component: host(element),
        html: html.slice(0, 200),
      })),
    );
  };

  const box = () => {
    const { x, y, width, height } = scope().getBoundingClientRect();
    return { x, y, width, height };
  };

  // Go to the end of what is longer than the screen; return if there was more.
  const scroll = () => {
    let longest = null;
    walk(scope(), (node) => {
      if (node.nodeType !== Node.ELEMENT_NODE || !/auto|scroll/.test(getComputedStyle(node).overflowY)) return;
      const hidden = (each) => each.scrollHeight - each.clientHeight;
      if (hidden(node) > (longest ? hidden(longest) : 0)) longest = node;
    });
    longest ??= document.scrollingElement;
    const before = longest.scrollTop;
    longest.scrollTop = longest.scrollHeight;
    return longest.scrollTop > before;
  };

  return { accessibility, box, check, cutOff: () => cutOff(scope()), scroll, state, text: () => text(scope()), words };
})();
