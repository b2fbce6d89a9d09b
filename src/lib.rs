//! Sentio serves semantic recommendations for articles over GraphQL.
//!
//! The rooms, in the order data flows through them; ARCHITECTURE.md tells who may use whom.

pub mod article;
pub mod config;
pub mod error_chain;
pub mod mapped_file;
pub mod memory;

pub mod db;
pub mod entity;
pub mod outbox;

pub mod embedding;
pub mod events;
pub mod hub;
pub mod index;
pub mod search;
pub mod sync;
pub mod words;

pub mod recommend;

pub mod evaluation;

pub mod auth;
pub mod document;
pub mod graphql;
pub mod http;

pub mod app;
pub mod article_file;
pub mod cli;
