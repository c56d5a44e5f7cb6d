/** Stands in for the site's bundled worker in the embedding build, which brings its own factory. */
export default function noWorker(): never {
  throw new Error('the embedding entry starts its own worker');
}
