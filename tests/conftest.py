"""What all tests share: the hypothesis profiles, chosen by ``HYPOTHESIS_PROFILE``.

"default" is for the whole test run, "quick" for the inner loop (`make check`), "thorough" looks twenty times as long.
"""

import os

from hypothesis import HealthCheck, settings

DEFAULT_EXAMPLES = 250

for _name, _factor in (("default", 1), ("quick", 0.04), ("thorough", 20)):
    settings.register_profile(
        _name,
        max_examples=int(DEFAULT_EXAMPLES * _factor),
        stateful_step_count=30,
        deadline=None,
        derandomize=False,
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
    )
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))
