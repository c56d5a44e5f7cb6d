// Applies a chosen colour scheme before the first paint; without a choice the system's one holds.
try {
  const chosen = localStorage.getItem('pictor.scheme');
  if (chosen === 'dark' || chosen === 'light') document.documentElement.dataset.scheme = chosen;
} catch {
  // Storage is blocked: the system's scheme is the right answer then too.
}
