// The tabs a first visitor sees. Each shows one part of the API and runs as it is on the sample articles. Comments
// are short enough for the editor's width in a small window.

const searchByMeaning = `# Finds articles by meaning, not only by words.
# Run it with Ctrl-Enter. Names explain themselves
# on hovering; all are listed under the book icon.
query SearchByMeaning {
  recommend(query: "pasta", k: 3) {
    score
    article {
      id
      title
      category
    }
    passage {
      text
    }
  }
}
`;

const similarArticles = `# An article and those nearest to it. The other
# tabs' results have more ids to try.
query SimilarArticles {
  articleByExternalId(externalId: "sample-carbonara") {
    title
    category
    similarTo(k: 3) {
      score
      article {
        id
        title
        category
      }
    }
  }
}
`;

const listArticles = `# A page of articles, each with its own
# recommendations. For the next page add
# after: "…" with the endCursor of this one.
query ListArticles {
  articles(first: 5, orderBy: { field: TITLE, direction: ASC }) {
    totalCount
    nodes {
      id
      title
      category
      similarTo(k: 2) {
        score
        article {
          title
        }
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
`;

const createArticle = `# Answers when the other tabs can find it. Bad
# input is reported in userErrors. If the server
# asks for a key, give it under Headers:
# {"Authorization": "Bearer …"}
mutation CreateArticle {
  createArticle(
    input: {
      title: "Risotto without stirring"
      content: """
      Toast the rice, add all the hot stock,
      cover, and keep it on low heat until creamy.
      """
      category: "Food"
      tags: ["rice", "italian"]
    }
  ) {
    article {
      id
      title
      indexState
    }
    userErrors {
      code
      message
      path
    }
  }
}
`;

const indexStatus = `# How far the index is behind the database, and
# which model made its vectors.
query IndexStatus {
  indexStatus {
    state
    articles
    passages
    pending
    failed
    lagSeconds
    live {
      model
      coverage
    }
  }
}
`;

export const tabs = [searchByMeaning, similarArticles, listArticles, createArticle, indexStatus].map(query => ({ query }));
