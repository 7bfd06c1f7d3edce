/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_TRACE_REASON_H
#define __IOMMUFD_TRACE_REASON_H

#define IOMMUFD_POLICY_NAME_LEN	16

/**
 * enum iommufd_file_request - file operations other than ioctls as requests
 * @IOMMUFD_REQUEST_FAULT_READ: read() of a queue of page faults
 * @IOMMUFD_REQUEST_FAULT_WRITE: write() of a queue of page faults
 * @IOMMUFD_REQUEST_VEVENT_READ: read() of a queue of events
 * @IOMMUFD_REQUEST_MMAP: mmap() of /dev/iommu
 */
enum iommufd_file_request {
	IOMMUFD_REQUEST_FAULT_READ = 1,
	IOMMUFD_REQUEST_FAULT_WRITE = 2,
	IOMMUFD_REQUEST_VEVENT_READ = 3,
	IOMMUFD_REQUEST_MMAP = 4,
};

/*
 * The reasons: the name, the text that iommufd_fail prints for it, and the
 * meaning of the two numbers that explain it. The list is a stable ABI:
 * existing reasons keep their position and meaning, new ones are appended.
 * docs/failures.md explains what a user can do about each.
 */
#define IOMMUFD_REASONS(R, LAST) \
	/* no reason was recorded; should not happen */ \
	R(NOT_SAID, "not_said") \
	/* the form of the request */ \
	R(UNKNOWN_COMMAND, "unknown_command")	/* the ioctl's number */ \
	R(BAD_SIZE, "bad_size")			/* size given, least size */ \
	R(TRAILING_BYTES, "trailing_bytes")	/* size given, known size */ \
	R(USER_MEMORY, "user_memory")		/* address, length; or 0, 0 */ \
	R(UNKNOWN_FLAG, "unknown_flag")		/* flags, known flags */ \
	R(RESERVED, "reserved")			/* value of the field */ \
	R(UNKNOWN_VALUE, "unknown_value")	/* value of the field */ \
	R(OUT_OF_RANGE, "out_of_range")		/* value, its bound */ \
	R(ZERO_LENGTH, "zero_length") \
	R(NO_RIGHTS_ASKED, "no_rights_asked")	/* flags */ \
	R(OVERFLOW, "overflow")			/* start, length */ \
	R(DATA_MISMATCH, "data_mismatch")	/* data type, length */ \
	R(FLAGS_CONFLICT, "flags_conflict")	/* flags */ \
	R(SHORT_BUFFER, "short_buffer")		/* given, needed */ \
	R(BAD_LENGTH, "bad_length")		/* length, its unit */ \
	R(BAD_ARRAY, "bad_array")		/* entry length, entries */ \
	/* objects */ \
	R(NO_OBJECT, "no_object")		/* id, type wanted */ \
	R(WRONG_TYPE, "wrong_type")		/* id, type it has */ \
	R(OBJECT_BUSY, "object_busy")		/* id, users */ \
	R(OBJECT_ENDING, "object_ending")	/* id */ \
	R(DUPLICATE, "duplicate")		/* the value that is taken */ \
	R(NOT_EMPTY, "not_empty")		/* value asked for */ \
	/* resources and permissions of the system */ \
	R(NO_MEMORY, "no_memory") \
	R(INTERRUPTED, "interrupted") \
	R(TOO_MANY_FILES, "too_many_files") \
	R(NO_CAPABILITY, "no_capability")	/* the CAP_ number */ \
	R(MEMLOCK, "memlock")			/* pages needed, limit */ \
	/* addresses */ \
	R(IOVA_MAPPED, "iova_mapped")		/* first, last of the area */ \
	R(IOVA_RESERVED, "iova_reserved")	/* first, last of the region */ \
	R(IOVA_APERTURE, "iova_aperture")	/* first, last outside of it */ \
	R(IOVA_ALIGNMENT, "iova_alignment")	/* IOVA or length, alignment */ \
	R(MEMORY_ALIGNMENT, "memory_alignment")	/* offset, alignment */ \
	R(NO_SPACE, "no_space")			/* length, alignment */ \
	R(NOT_MAPPED, "not_mapped")		/* IOVA, length */ \
	R(PARTIAL_UNMAP, "partial_unmap")	/* first, last of the area */ \
	R(HARDWARE_USES, "hardware_uses")	/* first, last of the area */ \
	R(MAPPING_RIGHTS, "mapping_rights")	/* IOMMU_ rights it has, asked */ \
	R(AREA_IN_THE_WAY, "area_in_the_way")	/* first, last to reserve */ \
	R(BAD_ALLOWED, "bad_allowed")		/* first, last allowed */ \
	/* memory */ \
	R(NO_VMA, "no_vma")			/* address, tgid of the owner */ \
	R(VMA_PFNMAP, "vma_pfnmap")		/* address, its offset in the VMA */ \
	R(VMA_NOT_WRITABLE, "vma_not_writable")	/* address */ \
	R(VMA_NOT_READABLE, "vma_not_readable")	/* address */ \
	R(NOT_PINNABLE, "not_pinnable")		/* address or offset, errno */ \
	R(PROCESS_GONE, "process_gone")		/* its tgid */ \
	R(NOT_CONTIGUOUS, "not_contiguous")	/* IOVA, length */ \
	R(NOT_MEMORY, "not_memory")		/* IOVA or offset */ \
	R(FILE_END, "file_end")			/* last offset, size of the file */ \
	R(BAD_FD, "bad_fd")			/* the descriptor */ \
	R(FILE_KIND, "file_kind")		/* the descriptor */ \
	R(FILE_RIGHTS, "file_rights")		/* mode of the file, its seals */ \
	R(DMABUF_EXPORTER, "dmabuf_exporter")	/* the descriptor or 0 */ \
	R(DMABUF_RANGE, "dmabuf_range")		/* offset, length of the buffer */ \
	R(DMABUF_REVOKED, "dmabuf_revoked") \
	R(VA_STAYS, "va_stays")			/* IOVA of the area, its length */ \
	/* devices and page tables */ \
	R(NO_IOMMU, "no_iommu") \
	R(NOT_COHERENT, "not_coherent") \
	R(INTERRUPTS, "interrupts")		/* IOMMU group */ \
	R(GROUP_OWNED, "group_owned")		/* IOMMU group, errno */ \
	R(ATTACHED, "attached")			/* device, page table */ \
	R(NOT_ATTACHED, "not_attached")		/* device or access, PASID */ \
	R(GROUP_ATTACHED, "group_attached")	/* IOMMU group, page table */ \
	R(NOT_FOR_PASIDS, "not_for_pasids")	/* page table, PASID */ \
	R(PASID_NEEDS_HWPT, "pasid_needs_hwpt")	/* IOAS, PASID */ \
	R(FAULTS_OF_VF, "faults_of_vf")		/* page table */ \
	R(OTHER_IOMMU, "other_iommu")		/* page table or vIOMMU, device */ \
	R(CACHE_COHERENCY, "cache_coherency")	/* device */ \
	R(HWPT_PAGE_SIZE, "hwpt_page_size")	/* its smallest page, the largest */ \
	R(NOT_NEST_PARENT, "not_nest_parent")	/* page table */ \
	R(DRIVER_LACKS, "driver_lacks") \
	R(DRIVER_REFUSED, "driver_refused")	/* errno of the driver */ \
	R(DENIED_BY_POLICY, "denied_by_policy")	/* priority of the policy */ \
	R(LIMITED_BY_POLICY, "limited_by_policy") /* handled, asked */ \
	/* queues and files */ \
	R(UNKNOWN_COOKIE, "unknown_cookie")	/* the cookie */ \
	R(NOT_READ_YET, "not_read_yet")		/* the cookie */ \
	R(MMAP_OFFSET, "mmap_offset")		/* offset, length */ \
	R(MMAP_FLAGS, "mmap_flags")		/* vm_flags */ \
	R(NO_CONTAINER_IOAS, "no_container_ioas") \
	R(CONTAINER_NOIOMMU, "container_noiommu") \
	R(NO_PHYS, "no_phys")			/* IOVA */ \
	LAST(PAGES_PINNED, "pages_pinned")	/* first, last of the area */

#define IOMMUFD_REASON_ENUM(_name, ...)	IOMMUFD_REASON_##_name,
/* Why a request of user space failed; docs/failures.md explains each reason. */
enum iommufd_reason {
	IOMMUFD_REASONS(IOMMUFD_REASON_ENUM, IOMMUFD_REASON_ENUM)
};

#undef IOMMUFD_REASON_ENUM

#endif
