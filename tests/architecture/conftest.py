"""The converted backbone of the journeys, for the tests here that run without torch."""

from journeys.conftest import lite0_ready

__all__ = ["lite0_ready"]
