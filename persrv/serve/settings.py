"""What a service is started with."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from persrv.errors import RecipeError
from persrv.recipe.places import home

ENVIRONMENT = "PERSRV_SERVE"
"""Environment variable in which worker processes find the settings, as JSON."""


class ServeSettings(BaseModel):
    """How a service runs.

    Attributes:
        collections: Recipes, by name or path; the first one answers where a request names none.
        home: Holds every collection's folder and the file of keys; ``None`` for the usual place.
        host: Address to listen at.
        port: Port to listen at.
        rate: Requests a second that one key, or one address without a key, may send on average; 0 for any number.
        burst: Requests that may come at once before ``rate`` counts.
        body_bytes: Largest body of a request.
        origins: Web pages of other hosts that may call the service, such as ``https://chat.example``.
        public_pictures: Whether pictures need no key; their addresses hold hashes of 128 bits, which nobody guesses.
        log_queries: Whether the log may hold what people typed and who they are.
        refresh_seconds: How often the service looks for a newer build.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    collections: tuple[str, ...] = Field(default=("emoji",), min_length=1)
    home: Path | None = None
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    rate: float = Field(default=50.0, ge=0)
    burst: int = Field(default=200, ge=1)
    body_bytes: int = Field(default=25_000_000, ge=1)
    origins: tuple[str, ...] = ()
    public_pictures: bool = False
    log_queries: bool = False
    refresh_seconds: float = Field(default=30.0, gt=0)

    @property
    def keys_file(self) -> Path:
        """The file that holds the hashes of the API keys."""
        return (self.home or home()) / "keys.json"

    @property
    def only_this_machine(self) -> bool:
        """Whether nobody but this machine can reach the address."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @classmethod
    def of(cls, **values: object) -> Self:
        """Return checked settings.

        Raises:
            RecipeError: A value is impossible.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(part) for part in first["loc"])
            raise RecipeError(
                f"the service's {name} is impossible: {first['msg']}", "see persrv serve --help"
            ) from error
