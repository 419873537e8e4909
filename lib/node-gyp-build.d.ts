/** The package has no types of its own. */
declare module 'node-gyp-build' {
  function load(directory: string): unknown;
  export = load;
}
