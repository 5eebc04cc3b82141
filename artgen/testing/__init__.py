"""The conformance kit: check that a plugin keeps the contract that artgen relies on.

In the tests of a plugin, two lines turn every check into a test::

    from artgen.testing import conformance

    test_petal = conformance(Petal)

`artgen plugins check` runs the same checks from the command line. A check proves one thing and says
what to do when it fails. A class or function declares the checks that it cannot pass, and why::

    class Petal(Splat):
        known_deviations = {"compiled": "it looks up its outline in a table"}

Such a check has to fail: it is an error if it passes.

Names are imported when they are first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
