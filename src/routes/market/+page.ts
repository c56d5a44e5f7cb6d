/** Prices change while one looks: the page asks for them itself. */
export const ssr = false;
