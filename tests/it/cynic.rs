//! A typed client in Rust: queries as structures that are checked against the schema when this is compiled.

use cynic::{GraphQlResponse, MutationBuilder, Operation, QueryBuilder};
use serde::Serialize;
use serde::de::DeserializeOwned;

use self::queries::*;
use crate::app::{Builder, TestApp};

mod schema {
    cynic::use_schema!("schema.graphql");
}

#[cynic::schema_for_derives(file = "schema.graphql", module = "super::schema")]
mod queries {
    #[derive(cynic::QueryVariables)]
    pub struct RecommendVariables {
        pub query: String,
        pub options: Option<RecommendOptions>,
    }

    #[derive(cynic::QueryFragment)]
    #[cynic(graphql_type = "Query", variables = "RecommendVariables")]
    pub struct Recommend {
        #[arguments(query: $query, k: 2, options: $options)]
        pub recommend: Option<Vec<Recommendation>>,
    }

    #[derive(cynic::QueryFragment)]
    pub struct Recommendation {
        pub score: f64,
        pub article: Article,
    }

    #[derive(cynic::QueryFragment)]
    pub struct Article {
        pub id: cynic::Id,
        pub title: String,
        pub index_state: ArticleIndexState,
    }

    #[derive(cynic::Enum, Debug, PartialEq)]
    pub enum ArticleIndexState {
        Pending,
        Indexed,
        Failed,
    }

    #[derive(cynic::Enum)]
    pub enum RecommendMode {
        Semantic,
        Keyword,
        Hybrid,
    }

    #[derive(cynic::InputObject)]
    pub struct RecommendOptions {
        pub mode: RecommendMode,
        #[cynic(skip_serializing_if = "Option::is_none")]
        pub diversity: Option<f64>,
    }

    #[derive(cynic::QueryVariables)]
    pub struct CreateVariables {
        pub input: CreateArticleInput,
    }

    #[derive(cynic::InputObject)]
    pub struct CreateArticleInput {
        pub title: String,
        pub content: String,
    }

    #[derive(cynic::QueryFragment)]
    #[cynic(graphql_type = "Mutation", variables = "CreateVariables")]
    pub struct Create {
        #[arguments(input: $input)]
        pub create_article: Option<CreateArticlePayload>,
    }

    #[derive(cynic::QueryFragment)]
    pub struct CreateArticlePayload {
        pub article: Option<Article>,
        pub user_errors: Vec<UserError>,
    }

    #[derive(cynic::QueryFragment)]
    pub struct UserError {
        pub message: String,
    }
}

async fn execute<Data, Variables>(app: &TestApp, operation: Operation<Data, Variables>) -> Data
where
    Data: DeserializeOwned + 'static,
    Variables: Serialize,
{
    let body = serde_json::to_value(&operation).unwrap();
    let response: GraphQlResponse<Data> = app.post(&body).await.json().await.unwrap();
    assert!(response.errors.is_none(), "{:?}", response.errors);
    response.data.unwrap()
}

#[tokio::test]
async fn a_typed_client_writes_and_finds() {
    let app = Builder::new().start().await;
    for title in ["One", "Two", "Three"] {
        let input = CreateArticleInput { title: title.to_owned(), content: format!("Words of {title}.") };
        let created = execute(&app, Create::build(CreateVariables { input })).await.create_article.unwrap();
        assert!(created.user_errors.is_empty(), "{}", created.user_errors[0].message);
        assert_eq!(created.article.unwrap().index_state, ArticleIndexState::Indexed);
    }
    let options = RecommendOptions { mode: RecommendMode::Semantic, diversity: Some(0.1) };
    let variables = RecommendVariables { query: "words".to_owned(), options: Some(options) };
    let found = execute(&app, Recommend::build(variables)).await.recommend.unwrap();
    assert_eq!(found.len(), 2);
    assert!(found[0].score >= found[1].score);
    assert!(!found[0].article.title.is_empty() && !found[0].article.id.inner().is_empty());
    app.stop().await;
}
