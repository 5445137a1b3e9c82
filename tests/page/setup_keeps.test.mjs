// The set-up loses no change, and says that something was written only if it was.

import assert from "node:assert/strict";
import { test } from "node:test";

import { chromiumOfThisFile, until } from "./support/browser.mjs";
import { standIn } from "./support/stand_in.mjs";

const open = chromiumOfThisFile();

const DIFF = '@@ -1,2 +1,2 @@\n [[meter]]\n-name = "House"\n+name = "Villa"\n';

/** The set-up with one meter that was given another name; the file is `etag`. */
async function renamed(t, { writable = true, refuse = null, init } = {}) {
  const file = { etag: "1", diff: DIFF };
  const gateway = await standIn(t, {
    answers: {
      config: () => ({
        toml: '[[meter]]\nname = "House"\n',
        path: "/etc/heatmeter.toml",
        writable,
        etag: file.etag,
        values: { meter: [{ name: "House", port: "/dev/a" }] },
      }),
      draft: () => ({ toml: '[[meter]]\nname = "Villa"\n', diff: file.diff, problems: [] }),
    },
  });
  const page = await open(t, "about:blank", { init, permissions: ["clipboard-read", "clipboard-write"] });
  const written = [];
  await page.route("**/api/config", async (route) => {
    if (route.request().method() !== "PUT") return route.continue();
    const asked = route.request().postDataJSON();
    if (asked.etag !== file.etag) {
      const error = { code: "changed_meanwhile", message: "Changed.", help: "" };
      return route.fulfill({ status: 412, json: { error } });
    }
    written.push(asked);
    return route.fulfill({ json: {} });
  });
  if (refuse) await page.route("**/api/config/draft", (route) => route.fulfill(refuse));
  await page.goto(`${gateway.address}#/setup`);
  await page.getByRole("button", { name: "Edit" }).click();
  await page.getByLabel("Name", { exact: true }).fill("Villa");
  await page.getByRole("button", { name: "Apply" }).click();
  return { page, file, written };
}

test("a change that is not written yet outlasts a look at another view", async (t) => {
  const { page, written } = await renamed(t);
  await page.getByRole("button", { name: "Cancel" }).last().click();
  await page.getByRole("link", { name: "Home" }).click();
  await page.getByRole("heading", { name: "House" }).waitFor();
  await page.getByRole("link", { name: "Set-up" }).click();
  await page.getByRole("button", { name: "Review and write" }).click();
  await page.getByRole("button", { name: "Write it" }).click();
  await page.getByText("Written. The gateway works with it already.").waitFor();
  assert.equal(written.length, 1);
});

test("a change that the gateway refuses is not written, and not said to be", async (t) => {
  const error = { code: "bad_request", message: "There is no place for it.", help: "Look at the file." };
  const { page, written } = await renamed(t, { refuse: { status: 400, json: { error } } });
  await page.getByText("There is no place for it.").waitFor();
  assert.equal(await page.getByRole("dialog").count(), 0);
  assert.equal(await page.getByLabel("Name", { exact: true }).inputValue(), "Villa");
  assert.deepEqual(written, []);
});

test("a file that was changed meanwhile gets the change after all, seen again", async (t) => {
  const { page, file, written } = await renamed(t);
  const write = page.getByRole("button", { name: "Write it" });
  await write.waitFor();
  file.etag = "2";
  file.diff = DIFF.replace("[[meter]]", "# by hand");
  await write.click();
  await page.getByText("The file was changed meanwhile").waitFor();
  assert.ok(await write.isDisabled());
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByRole("dialog").getByText("# by hand").waitFor();
  await write.click();
  await page.getByText("Written. The gateway works with it already.").waitFor();
  assert.deepEqual(
    written.map(({ etag }) => etag),
    ["2"],
  );
});

for (const [name, init] of [
  ["a secure page", undefined],
  [
    "a page over plain http",
    () => Object.defineProperty(Navigator.prototype, "clipboard", { value: undefined }),
  ],
]) {
  test(`where the file cannot be written its new lines can be copied, from ${name}`, async (t) => {
    const { page } = await renamed(t, { writable: false, init });
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: "Copy the new lines" }).click();
    assert.ok(await dialog.getByRole("button", { name: "Write it" }).isDisabled());
    await dialog.getByRole("button", { name: "Cancel" }).click();
    const other = page.getByLabel("Another port");
    await until("the lines on the clipboard", async () => {
      await other.fill("");
      await other.press("Control+V");
      return (await other.inputValue()) === 'name = "Villa"';
    });
  });
}
