/** The screens of the roles need a GPU, a camera of three and a person: they are made in the browser. */
export const ssr = false;
