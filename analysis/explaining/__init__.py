"""Why a run ended as it did, and what to change: in plain words."""
