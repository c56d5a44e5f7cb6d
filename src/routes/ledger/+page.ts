/** The log is fetched and verified in the browser, so that nobody has to believe this server about it. */
export const ssr = false;
