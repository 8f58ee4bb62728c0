"""The two articles every example of this project starts with."""

from collections.abc import Iterator

from ddb_assets.local.samples.values import Item, number, string

USER_ID = "7155dc64-982a-4559-9f94-5320dc4d003d"


def items() -> Iterator[Item]:
    """Both articles."""
    rows = [("XXXXXXX", "hoge", 1577804400), ("YYYYYY", "foo", 1577804401)]
    for article_id, content, created in rows:
        yield {
            "userId": string(USER_ID),
            "articleId": string(article_id),
            "content": string(content),
            "createAt": number(created),
        }
