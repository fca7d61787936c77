"""New mappings. Kernel: mm/util.c, mm/mmap.c, mm/vma.c."""

from typing import TYPE_CHECKING

from uffdviz.kernel.errno import EINVAL, ENOMEM
from uffdviz.kernel.memory import VmaRecord
from uffdviz.kernel.objects import PAGE_SIZE, Mm
from uffdviz.kernel.ops.munmap import Uf
from uffdviz.kernel.steps import Step
from uffdviz.kernel.vma_tree import TASK_SIZE, MmapSpec, tree_gap

if TYPE_CHECKING:
    from uffdviz.kernel.kernel import Kernel


async def sys_mmap(k: "Kernel", mm: Mm, start: int, length: int, spec: MmapSpec) -> int:
    """Map memory; over something that is there only if `spec.fixed`.

    Kernel: mm/util.c, vm_mmap_pgoff().
    Left out: populate, the mapping count limit, accounting.
    Returns: the address, or a negative errno.
    """
    if err := await k.mmap_write_lock_killable(mm):  # 1
        return err
    addr, uf = await k.do_mmap(mm, start, length, spec)
    await k.mmap_write_unlock(mm)  # 3
    await k.userfaultfd_unmap_complete(uf)  # 4
    return addr


async def do_mmap(k: "Kernel", mm: Mm, start: int, length: int, spec: MmapSpec) -> tuple[int, Uf]:
    """Find room, then map.

    Kernel: mm/mmap.c, do_mmap().
    """
    if length <= 0 or length % PAGE_SIZE or start % PAGE_SIZE or start + length > TASK_SIZE:
        return EINVAL, ()
    addr = start if spec.fixed else await k.get_unmapped_area(mm, start, length)
    if addr < 0:
        return addr, ()
    return await k.mmap_region(mm, addr, length, spec)


async def get_unmapped_area(k: "Kernel", mm: Mm, hint: int, length: int) -> int:
    """Choose an address: the hint if it is free, else the highest gap.

    Kernel: mm/mmap.c, arch_get_unmapped_area_topdown().
    Returns: the address, or -ENOMEM.
    """
    return int(await Step(mm.tree, tree_gap, length, hint, cost="tree_walk")) or ENOMEM


async def mmap_region(
    k: "Kernel", mm: Mm, addr: int, length: int, spec: MmapSpec
) -> tuple[int, Uf]:
    """Clear the range, then let a neighbour grow over it or insert a new mapping.

    Kernel: mm/vma.c, mmap_region() (mm/mmap.c before v6.12).
    """
    err, uf = await k.do_vmi_munmap(mm, addr, length, (), False)
    if err:
        return ENOMEM, uf
    rec = VmaRecord(
        mm=mm.name,
        start=addr,
        end=addr + length,
        prot=spec.prot,
        shared=spec.shared,
        backing=spec.backing,
        file=spec.file,
        pgoff=spec.pgoff,
    )
    if await k.vma_expand(mm, rec) is not None:
        return addr, uf
    vma = await k.vm_area_alloc(mm, spec.name or k.stage.where(addr), rec)
    if isinstance(vma, int):
        return vma, uf
    await k.vma_link(mm, vma, addr, addr + length)  # 2
    return addr, uf
