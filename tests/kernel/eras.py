"""The eras in which address-space writers are tested."""

from uffdviz.kernel.eras.v6_1 import V6_1
from uffdviz.kernel.eras.v6_8 import V6_8
from uffdviz.kernel.eras.v6_9 import V6_9
from uffdviz.kernel.eras.v6_12 import V6_12
from uffdviz.kernel.eras.v6_18 import V6_18
from uffdviz.kernel.kernel import Kernel

VMA_LOCK_ERAS: tuple[type[Kernel], ...] = (V6_8, V6_9, V6_12, V6_18)
WRITER_ERAS: tuple[type[Kernel], ...] = (V6_1, *VMA_LOCK_ERAS)
RAISES_UNDER_A_LOCK: tuple[type[Kernel], ...] = (V6_9, V6_12, V6_18)
ERAS_THAT_TELL_OF_FAILED_FORKS: tuple[type[Kernel], ...] = (V6_1, V6_8, V6_9)
