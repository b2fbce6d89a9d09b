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

const filteredAndDiverse = `# Only of some categories, not too much of the
# same, and why each is where it is. What is best
# for your articles is told by docs/recommendations.md.
query FilteredAndDiverse {
  recommend(
    query: "a quiet evening"
    k: 5
    options: {
      filter: { categoryNotIn: ["Finance"] }
      diversity: 0.4
      perCategory: 2
      nearDuplicates: HIDE
    }
  ) {
    article {
      title
      category
      tags
    }
    passage {
      text
    }
    explanation {
      rankingScore
      semantic
      keyword
      diversity
    }
  }
}
`;

const createArticle = `# Answers when the other tabs can find it. Bad
# input is reported in userErrors. If the server
# wants a key, a field for it appears above.
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

const articleChanged = `# Tells every change of an article while this
# runs, whoever makes it. Leave it running, and run
# CreateArticle in another window.
subscription ArticleChanged {
  articleChanged {
    kind
    articleId
    article {
      title
      indexState
    }
  }
}
`;

export const tabs = [searchByMeaning, similarArticles, filteredAndDiverse, createArticle, articleChanged].map(query => ({ query }));
