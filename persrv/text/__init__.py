"""Text of stickers and of searches: tokens, BM25F as sparse vectors, spelling."""

from persrv.text.bm25f import (
    CorpusStatistics,
    SparseVector,
    collisions,
    document_vector,
    idf,
    query_vector,
    terms_vector,
    token_id,
)
from persrv.text.folding import normalise
from persrv.text.scoring import Score, score, score_vector
from persrv.text.spelling import Speller
from persrv.text.terms import Terms
from persrv.text.tokenizer import TOKENIZER, Piece, pieces, query_tokens, tokenize

__all__ = [
    "TOKENIZER",
    "CorpusStatistics",
    "Piece",
    "Score",
    "SparseVector",
    "Speller",
    "Terms",
    "collisions",
    "document_vector",
    "idf",
    "normalise",
    "pieces",
    "query_tokens",
    "query_vector",
    "score",
    "score_vector",
    "terms_vector",
    "token_id",
    "tokenize",
]
