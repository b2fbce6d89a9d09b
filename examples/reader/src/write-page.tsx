import { useEffect, useState } from "react";
import type { FormEvent } from "react";
import { useMutation } from "urql";
import { Failure } from "./failure";
import { graphql } from "./generated";
import { hasCode, key } from "./key";
import { hrefTo } from "./route";
import { useStore } from "./store";

const CreateMutation = graphql(`
  mutation Create($input: CreateArticleInput!) {
    createArticle(input: $input) {
      article { id ...Card content updatedAt indexState }
      userErrors { message path }
    }
  }
`);

const EMPTY = { title: "", category: "", tags: "", content: "" };
const LABELS = { title: "Title", category: "Category", tags: "Tags, separated by commas", content: "Text" };
type Name = keyof typeof EMPTY;

export function WritePage() {
  const [values, setValues] = useState(EMPTY);
  const [{ data, error, fetching }, create] = useMutation(CreateMutation);
  const userErrors = data?.createArticle?.userErrors ?? [];
  const names = Object.keys(EMPTY) as Name[];
  /** What the server says of a field; of the whole article where it names none. */
  const saidOf = (name: Name | undefined) =>
    userErrors
      .filter(({ path }) => names.find((known) => path?.includes(known)) === name)
      .map(({ message }) => message)
      .join("; ");

  async function publish() {
    const tags = values.tags.split(",").map((tag) => tag.trim()).filter(Boolean);
    const { title, content, category } = values;
    const result = await create({ input: { title, content, tags, category: category.trim() || null } });
    const article = result.data?.createArticle?.article;
    if (article) location.hash = hrefTo.article(article.id);
  }

  function submit(event: FormEvent) {
    event.preventDefault();
    void publish();
  }

  // Publishing was refused for want of a key: it goes on once there is one.
  const givenKey = useStore(key);
  useEffect(() => {
    if (givenKey && hasCode(error?.graphQLErrors, "UNAUTHENTICATED")) void publish();
  }, [givenKey]);

  function field(name: Name) {
    const said = saidOf(name);
    const properties = {
      id: name,
      value: values[name],
      "aria-invalid": said !== "",
      "aria-describedby": said ? `${name}-said` : undefined,
      onChange: (event: { target: { value: string } }) => setValues({ ...values, [name]: event.target.value }),
    };
    return (
      <div className="field" key={name}>
        <label htmlFor={name}>{LABELS[name]}</label>
        {name === "content" ? <textarea rows={10} {...properties} /> : <input type="text" {...properties} />}
        {said && <p id={`${name}-said`} className="failure" role="alert">{said}</p>}
      </div>
    );
  }

  return (
    <>
      <h1>Write an article</h1>
      <form onSubmit={submit} noValidate>
        {names.map(field)}
        {saidOf(undefined) && <p className="failure" role="alert">{saidOf(undefined)}</p>}
        {error && <Failure error={error} />}
        <button type="submit" disabled={fetching}>{fetching ? "Publishing…" : "Publish"}</button>
      </form>
    </>
  );
}
