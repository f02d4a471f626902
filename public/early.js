// Before the first paint, and so before the page's code: the look that was chosen, so that nothing flashes or moves.
// settings/settings.ts has the names; shell/Shell.tsx sets them again.
try {
  const { theme, motion, textSize } = JSON.parse(localStorage.getItem('shoal.settings') ?? '{}');
  const { dataset } = document.documentElement;
  if (theme === 'light' || theme === 'dark') dataset.theme = theme;
  if (motion === 'less') dataset.motion = motion;
  if (textSize === 'large') dataset.text = textSize;
} catch {
  // No storage, or not written by us: the look that the system has.
}
