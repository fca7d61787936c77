"""The kernel as one task sees it: a table of which function does which job.

A function of the model is `async def name(k, …)` and calls the others through `k`, so an era, a
posted revision or a mutation replaces one by naming another in a subclass. This class is v6.9 as
merged; `eras/` holds the differences.
"""

from typing import Any, ClassVar

from uffdviz.kernel import queues
from uffdviz.kernel.locks import exclusive, rwsem, seqcount, word
from uffdviz.kernel.locks import vma_lock as vl
from uffdviz.kernel.ops import change_protection as protection
from uffdviz.kernel.ops import (
    copy_tables,
    fault,
    file_fault,
    fork,
    gup,
    madvise,
    mfill,
    mfill_pte,
    mm_refs,
    mmap,
    mmap_lock,
    move,
    move_batch,
    move_pte,
    move_swap,
    mprotect,
    mremap,
    munmap,
    notify,
    page_table,
    pte_fault,
    raise_event,
    register,
    rmap,
    swap_in,
    uffd_lock,
    wprotect,
)
from uffdviz.kernel.ops import handle_userfault as uf
from uffdviz.kernel.ops import userfaultfd_ioctl as fill_ioctl
from uffdviz.kernel.ops import vma as vma_ops
from uffdviz.kernel.table import Table


class Kernel(Table):
    """The functions of one task's kernel."""

    vma_lock_state: ClassVar[Any] = rwsem.RwSem()

    # kernel/locking
    down_read = rwsem.down_read
    down_write = rwsem.down_write
    down_read_killable = rwsem.down_read_killable
    down_write_killable = rwsem.down_write_killable
    down_read_trylock = rwsem.down_read_trylock
    down_write_trylock = rwsem.down_write_trylock
    up_read = rwsem.up_read
    up_write = rwsem.up_write
    downgrade_write = rwsem.downgrade_write
    spin_lock = exclusive.spin_lock
    spin_unlock = exclusive.spin_unlock
    folio_lock = exclusive.folio_lock
    folio_trylock = exclusive.folio_trylock
    folio_unlock = exclusive.folio_unlock
    read_seqcount_begin = seqcount.read_seqcount_begin
    read_seqcount_retry = seqcount.read_seqcount_retry
    write_seqcount_begin = seqcount.write_seqcount_begin
    write_seqcount_end = seqcount.write_seqcount_end
    read_once = word.read_once
    write_once = word.write_once
    atomic_add = word.atomic_add
    set_current_state = queues.set_current_state
    schedule = queues.schedule
    wake_up_task = queues.wake_up_task
    signal_pending = queues.signal_pending

    # include/linux/mmap_lock.h, include/linux/sched/mm.h
    mmap_read_lock = mmap_lock.mmap_read_lock
    mmap_read_lock_killable = mmap_lock.mmap_read_lock_killable
    mmap_read_trylock = mmap_lock.mmap_read_trylock
    mmap_read_unlock = mmap_lock.mmap_read_unlock
    mmap_write_lock = mmap_lock.mmap_write_lock
    mmap_write_lock_killable = mmap_lock.mmap_write_lock_killable
    mmap_write_unlock = mmap_lock.mmap_write_unlock
    mmap_write_downgrade = mmap_lock.mmap_write_downgrade
    vma_end_write_all = mmap_lock.vma_end_write_all
    mmget_not_zero = mm_refs.mmget_not_zero
    mmput = mm_refs.mmput
    mmgrab = mm_refs.mmgrab
    mmdrop = mm_refs.mmdrop

    # include/linux/mm.h, mm/memory.c
    rcu_read_lock = vl.rcu_read_lock
    rcu_read_unlock = vl.rcu_read_unlock
    vma_start_read = vl.vma_start_read
    vma_end_read = vl.vma_end_read
    vma_start_write = vl.vma_start_write
    lock_vma_under_rcu = vl.lock_vma_under_rcu

    # mm/userfaultfd.c, mm/shmem.c: fills
    uffd_mfill_lock = uffd_lock.uffd_mfill_lock
    uffd_mfill_unlock = uffd_lock.uffd_mfill_unlock
    uffd_move_lock = uffd_lock.uffd_move_lock
    uffd_move_unlock = uffd_lock.uffd_move_unlock
    lock_vma = uffd_lock.lock_vma
    find_vma_and_prepare_anon = uffd_lock.find_vma_and_prepare_anon
    find_vmas_mm_locked = uffd_lock.find_vmas_mm_locked
    mfill_atomic = mfill.mfill_atomic
    mfill_vma_suits = mfill.mfill_vma_suits
    mfill_atomic_pte = mfill.mfill_atomic_pte
    copy_from_user = mfill.copy_from_user
    copy_from_user_inatomic = mfill.copy_from_user_inatomic
    user_page_present = mfill_pte.user_page_present
    alloc_fill_folio = mfill_pte.alloc_fill_folio
    mfill_file_over = mfill_pte.mfill_file_over
    mfill_atomic_pte_copy = mfill_pte.mfill_atomic_pte_copy
    mfill_atomic_pte_zeropage = mfill_pte.mfill_atomic_pte_zeropage
    mfill_atomic_pte_continue = mfill_pte.mfill_atomic_pte_continue
    mfill_atomic_pte_poison = mfill_pte.mfill_atomic_pte_poison
    mfill_atomic_install_pte = mfill_pte.mfill_atomic_install_pte
    mfill_set_empty_pte = mfill_pte.mfill_set_empty_pte
    shmem_mfill_atomic_pte = mfill_pte.shmem_mfill_atomic_pte
    shmem_install_folio = mfill_pte.shmem_install_folio

    # fs/userfaultfd.c: the ioctls that fill
    userfaultfd_changing = fill_ioctl.userfaultfd_changing
    userfaultfd_done = fill_ioctl.userfaultfd_done
    userfaultfd_copy = fill_ioctl.userfaultfd_copy
    userfaultfd_zeropage = fill_ioctl.userfaultfd_zeropage
    userfaultfd_continue = fill_ioctl.userfaultfd_continue
    userfaultfd_poison = fill_ioctl.userfaultfd_poison

    # mm/memory.c, mm/pgtable-generic.c, mm/mremap.c, mm/mprotect.c: page tables
    pte_alloc = page_table.pte_alloc
    pte_offset_map = page_table.pte_offset_map
    pte_unmap = page_table.pte_unmap
    pte_offset_map_lock = page_table.pte_offset_map_lock
    pte_unmap_unlock = page_table.pte_unmap_unlock
    ptep_get = page_table.ptep_get
    ptep_clear_flush = page_table.ptep_clear_flush
    double_pt_lock = page_table.double_pt_lock
    double_pt_unlock = page_table.double_pt_unlock
    zap_range = page_table.zap_range
    zap_pte_range = page_table.zap_pte_range
    move_page_tables = copy_tables.move_page_tables
    move_ptes = copy_tables.move_ptes
    copy_page_range = copy_tables.copy_page_range
    copy_pte_range = copy_tables.copy_pte_range
    copy_present_pte = copy_tables.copy_present_pte
    change_protection = protection.change_protection
    uffd_wp_range = protection.uffd_wp_range
    change_range = protection.change_range
    change_pte_range = protection.change_pte_range
    can_change_ptes_writable = protection.can_change_ptes_writable

    # mm/rmap.c
    anon_vma_prepare = rmap.anon_vma_prepare
    anon_vma_publish = rmap.anon_vma_publish
    find_mergeable_anon_vma = rmap.find_mergeable_anon_vma
    anon_vma_alloc = rmap.anon_vma_alloc
    put_anon_vma = rmap.put_anon_vma
    anon_vma_lock_write = rmap.anon_vma_lock_write
    anon_vma_unlock_write = rmap.anon_vma_unlock_write
    anon_vma_clone = rmap.anon_vma_clone
    anon_vma_fork = rmap.anon_vma_fork
    unlink_anon_vmas = rmap.unlink_anon_vmas

    # mm/mprotect.c
    sys_mprotect = mprotect.sys_mprotect
    do_mprotect_pkey = mprotect.do_mprotect_pkey
    mprotect_fixup = mprotect.mprotect_fixup

    # arch/x86/mm/fault.c, mm/memory.c: faults
    page_fault = fault.page_fault
    kernel_fault = fault.kernel_fault
    access = fault.access
    do_user_addr_fault = fault.do_user_addr_fault
    fault_under_vma_lock = fault.fault_under_vma_lock
    bad_access_under_vma_lock = fault.bad_access_under_vma_lock
    fault_under_mmap_lock = fault.fault_under_mmap_lock
    lock_mm_and_find_vma = fault.lock_mm_and_find_vma
    handle_mm_fault = pte_fault.handle_mm_fault
    do_pte_missing = pte_fault.do_pte_missing
    do_anonymous_page = pte_fault.do_anonymous_page
    prepare_anon_folio = pte_fault.prepare_anon_folio
    vmf_anon_prepare = pte_fault.vmf_anon_prepare
    map_anon_folio = pte_fault.map_anon_folio
    set_pte_at = pte_fault.set_pte_at
    do_wp_page = pte_fault.do_wp_page
    wp_can_reuse_anon_folio = pte_fault.wp_can_reuse_anon_folio
    wp_page_copy = pte_fault.wp_page_copy
    do_swap_page = pte_fault.do_swap_page
    map_swapped_folio = swap_in.map_swapped_folio
    do_fault = file_fault.do_fault
    fault_folio = file_fault.fault_folio
    add_to_page_cache = file_fault.add_to_page_cache
    finish_fault = file_fault.finish_fault

    # mm/gup.c
    pin_user_page = gup.pin_user_page
    pin_user_page_fast = gup.pin_user_page_fast
    follow_page_pte = gup.follow_page_pte
    faultin_page = gup.faultin_page
    unpin_user_page = gup.unpin_user_page

    # fs/userfaultfd.c: faults, messages, registration
    handle_userfault = uf.handle_userfault
    userfaultfd_admits = uf.userfaultfd_admits
    userfaultfd_must_wait = uf.userfaultfd_must_wait
    release_fault_lock = uf.release_fault_lock
    dequeue_userfault = uf.dequeue_userfault
    userfaultfd_ctx_get = uf.userfaultfd_ctx_get
    userfaultfd_ctx_put = uf.userfaultfd_ctx_put
    wake_up_poll = notify.wake_up_poll
    wake_up_all_senders = notify.wake_up_all_senders
    userfaultfd_wake = notify.userfaultfd_wake
    wake_userfault = notify.wake_userfault
    userfault_waiters = notify.userfault_waiters
    do_wake_userfault = notify.do_wake_userfault
    userfaultfd_wake_function = notify.userfaultfd_wake_function
    userfaultfd_poll = notify.userfaultfd_poll
    userfaultfd_read = notify.userfaultfd_read
    userfaultfd_next_message = notify.userfaultfd_next_message
    find_userfault = notify.find_userfault
    refile_userfault = notify.refile_userfault
    find_userfault_evt = notify.find_userfault_evt
    resolve_userfault_fork = notify.resolve_userfault_fork
    userfaultfd_event_complete = notify.userfaultfd_event_complete
    userfaultfd_event_wait_completion = notify.userfaultfd_event_wait_completion
    userfaultfd_release_new = notify.userfaultfd_release_new
    userfaultfd_register = register.userfaultfd_register
    register_checks = register.register_checks
    register_vma = register.register_vma
    vma_modify_flags_uffd = register.vma_modify_flags_uffd
    userfaultfd_set_ctx = register.userfaultfd_set_ctx
    userfaultfd_reset_ctx = register.userfaultfd_reset_ctx
    userfaultfd_unregister = register.userfaultfd_unregister
    unregister_checks = register.unregister_checks
    unregister_vma = register.unregister_vma
    userfaultfd_clear_vma = register.userfaultfd_clear_vma
    userfaultfd_release = register.userfaultfd_release
    userfaultfd_release_all = register.userfaultfd_release_all
    release_vma = register.release_vma

    # mm/vma.c (mm/mmap.c before v6.11), kernel/fork.c: mappings
    vma_object = vma_ops.vma_object
    vm_area_alloc = vma_ops.vm_area_alloc
    vm_area_dup = vma_ops.vm_area_dup
    vm_area_free = vma_ops.vm_area_free
    vma_mark_detached = vma_ops.vma_mark_detached
    vma_mark_attached = vma_ops.vma_mark_attached
    vma_iter_store_new = vma_ops.vma_iter_store_new
    vma_link = vma_ops.vma_link
    vma_prepare = vma_ops.vma_prepare
    vma_complete = vma_ops.vma_complete
    split_vma = vma_ops.split_vma
    can_vma_merge = vma_ops.can_vma_merge
    vma_merge = vma_ops.vma_merge
    vma_expand = vma_ops.vma_expand
    dup_anon_vma = vma_ops.dup_anon_vma
    commit_merge = vma_ops.commit_merge
    trim_vma = vma_ops.trim_vma
    vma_modify = vma_ops.vma_modify

    # mm/vma.c, mm/mmap.c, mm/mremap.c, mm/madvise.c: system calls
    sys_munmap = munmap.sys_munmap
    do_vmi_munmap = munmap.do_vmi_munmap
    do_vmi_align_munmap = munmap.do_vmi_align_munmap
    vms_gather_munmap_vmas = munmap.vms_gather_munmap_vmas
    split_end = munmap.split_end
    reattach_vmas = munmap.reattach_vmas
    unmap_region = munmap.unmap_region
    sys_mmap = mmap.sys_mmap
    do_mmap = mmap.do_mmap
    get_unmapped_area = mmap.get_unmapped_area
    mmap_region = mmap.mmap_region
    sys_mremap = mremap.sys_mremap
    do_mremap = mremap.do_mremap
    shrink_vma = mremap.shrink_vma
    expand_vma = mremap.expand_vma
    mremap_to = mremap.mremap_to
    move_vma = mremap.move_vma
    unmap_old = mremap.unmap_old
    copy_vma = mremap.copy_vma
    sys_madvise = madvise.sys_madvise
    madvise_flags = madvise.madvise_flags
    madvise_update_vma = madvise.madvise_update_vma
    madvise_pages = madvise.madvise_pages
    try_vma_read_lock = madvise.try_vma_read_lock
    madvise_walk_vmas = madvise.madvise_walk_vmas
    madvise_dontneed_free = madvise.madvise_dontneed_free
    madvise_drop = madvise.madvise_drop
    madvise_remove = madvise.madvise_remove
    punch_hole = madvise.punch_hole

    # kernel/fork.c
    sys_fork = fork.sys_fork
    dup_mmap = fork.dup_mmap
    dup_vma = fork.dup_vma
    sys_exit = fork.sys_exit
    exit_mmap = fork.exit_mmap
    exit_vma = fork.exit_vma
    dup_userfaultfd_finish = fork.dup_userfaultfd_always

    # fs/userfaultfd.c: announcing layout changes
    mmap_changing_raise = raise_event.mmap_changing_raise
    vma_drop_ctx = raise_event.vma_drop_ctx
    dup_userfaultfd = raise_event.dup_userfaultfd
    dup_userfaultfd_complete = raise_event.dup_userfaultfd_complete
    dup_userfaultfd_fail = raise_event.dup_userfaultfd_fail
    mremap_userfaultfd_prep = raise_event.mremap_userfaultfd_prep
    mremap_userfaultfd_complete = raise_event.mremap_userfaultfd_complete
    userfaultfd_remove = raise_event.userfaultfd_remove
    userfaultfd_unmap_prep = raise_event.userfaultfd_unmap_prep
    userfaultfd_unmap_complete = raise_event.userfaultfd_unmap_complete

    # mm/userfaultfd.c, fs/userfaultfd.c: moving pages
    userfaultfd_move = move.userfaultfd_move
    move_pages = move.move_pages
    find_move_vma = move.find_move_vma
    move_ranges_fit = move.move_ranges_fit
    validate_move_areas = move.validate_move_areas
    move_range = move.move_range
    move_prepare_tables = move.move_prepare_tables
    move_pages_pte = move_pte.move_pages_pte
    move_pte_try = move_pte.move_pte_try
    ptep_get_locked = move_pte.ptep_get_locked
    move_unmap = move_pte.move_unmap
    move_release = move_pte.move_release
    folio_get = move_pte.folio_get
    folio_put = move_pte.folio_put
    move_present = move_pte.move_present
    move_zeropage_pte = move_pte.move_zeropage_pte
    move_ptes_stable = move_pte.move_ptes_stable
    move_lock_folio = move_pte.move_lock_folio
    move_folio_suits = move_pte.move_folio_suits
    move_split_folio = move_pte.move_split_folio
    move_lock_anon_vma = move_pte.move_lock_anon_vma
    move_present_pte = move_pte.move_present_pte
    move_folio_stable = move_pte.move_folio_stable
    move_anon_pte = move_pte.move_anon_pte
    folio_move_anon_rmap = move_pte.folio_move_anon_rmap
    move_gives_up_on = move_pte.move_waits_for_any
    check_ptes_for_batched_move = move_batch.check_ptes_for_batched_move
    move_swapped = move_swap.move_swapped
    migration_entry_wait = move_swap.migration_entry_wait
    move_swap_entry = move_swap.move_swap_entry
    move_swap_pte = move_swap.move_swap_pte
    move_swap_cache = move_swap.move_swap_cache_ignored

    # mm/userfaultfd.c, fs/userfaultfd.c: write protection
    userfaultfd_writeprotect = wprotect.userfaultfd_writeprotect
    mwriteprotect_range = wprotect.mwriteprotect_range
    mwriteprotect_vmas = wprotect.mwriteprotect_vmas
