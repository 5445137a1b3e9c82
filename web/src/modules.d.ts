// What the build makes of a style sheet that is imported: its text.
declare module "*.css" {
  const text: string;
  export default text;
}

// What verdicts say in a language, by `code.message` and `code.help`; see build.mjs.
declare module "verdicts:*" {
  const texts: Record<string, string>;
  export default texts;
}
